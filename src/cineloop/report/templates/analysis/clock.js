// Moments as hh:mm:ss, and round steps between them.
const STEPS = [0.1, 0.2, 0.5, 1, 2, 5, 10, 20, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400];

function clock(at, tenths) {
  const whole = Math.floor(at * 10 + 1e-6);
  const digits = (value) => String(value).padStart(2, "0");
  const second = Math.floor(whole / 10);
  const text = `${digits(Math.floor(second / 3600))}:${digits(Math.floor(second / 60) % 60)}:${digits(second % 60)}`;
  return tenths ? `${text}.${whole % 10}` : text;
}

function stepOf(span, most) {
  return STEPS.find((step) => span / step <= most) || span;
}

function filled(text, values) {
  return text.replace(/\{(\w+)\}/g, (_, name) => values[name]);
}
