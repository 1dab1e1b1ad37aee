// Columns of integers as the package packs them: seven bits a byte, lowest first, signs folded in.
function unpack(text) {
  const bytes = atob(text);
  let length = 0;
  for (let at = 0; at < bytes.length; at++) length += bytes.charCodeAt(at) < 128;
  const found = new Float64Array(length);
  let value = 0, scale = 1, place = 0;
  for (let at = 0; at < bytes.length; at++) {
    const octet = bytes.charCodeAt(at);
    value += (octet & 127) * scale;
    scale *= 128;
    if (octet < 128) {
      found[place++] = value % 2 ? -(value + 1) / 2 : value / 2;
      value = 0;
      scale = 1;
    }
  }
  return found;
}

function summed(values) {
  for (let at = 1; at < values.length; at++) values[at] += values[at - 1];
  return values;
}
