"""What published systems call things: flags, keys and files that the pages for those who come from them must name.

Written down so that the pages are held where the published texts are not at hand; where they are, tests compare.
"""

from __future__ import annotations


def _words(text: str) -> set[str]:
    return set(text.split())


STAGES = _words("fit finetune validate test predict export_model_torch_script arg_debug")

QUICK_FLAGS = _words("""
    -h --help -s --stage -cm --compile_model -msp --model_save_path -psp --pred_save_path -se --seed_everything
    -me --max_epochs -bs --batch_size -cp --ckpt_path -acc --accelerator -str --strategy -dev --devices
    -cve --check_val_every_n_epoch -ls --log_every_n_steps -en --experiment_name -ver --version
    -ce --ckpt_every_n_epochs -trr --tqdm_refresh_rate -dcp --data_class_path -dif --data_index_file -dr --data_root
    -swk --sample_weight_key -swv --sample_weight_value -rs --resize_shape -ccs --center_crop_shape
    -bj --brightness_jitter -cj --contrast_jitter -sj --saturation_jitter -nw --num_workers -mcp --model_class_path
    -nh --num_heads -al --attention_lambda -thr --thresh -lr --lr -mom --momentum -wd --weight_decay -cw --cls_weight
    -oat --outside_acc_thresh -nat --nonsense_acc_thresh -timfp --test_id_map_file_path -tvsd --test_viz_save_dir
""")

VIEW_FLAGS = _words("""
    -b -x -r -m -s --batching --extract_frame --render_frame --merge_video --step_mode --video_ext --video_path
    --frame_path --pred_json_path --pred_signal_path --kernel_sizes --post_json_path --post_signal_path --render_path
    --output_path --device --ckpt_path
""")

COLONOSCOPY_KEYS = {
    "seed_everything",
    "ckpt_path",
    "data.class_path",
    "model.class_path",
    *(
        f"trainer.{name}"
        for name in _words("""
            accelerator strategy num_nodes devices precision logger callbacks max_epochs max_steps
            check_val_every_n_epoch log_every_n_steps accumulate_grad_batches gradient_clip_val deterministic benchmark
            default_root_dir
        """)
    ),
    *(
        f"data.init_args.{name}"
        for name in _words("""
            data_index_file data_root sample_weight resize_shape center_crop_shape brightness_jitter contrast_jitter
            saturation_jitter batch_size num_workers dry_run
        """)
    ),
    *(
        f"model.init_args.{name}"
        for name in _words("""
            input_shape num_heads attention_lambda num_classes thresh batch_size lr epochs momentum weight_decay
            cls_weight outside_acc_thresh nonsense_acc_thresh data_root test_id_map_file_path test_viz_save_dir
        """)
    ),
}

# Of the outputs: metrics, folders of wrongly classified frames, and files.
COLONOSCOPY_NAMES = _words("""
    train_loss val_thresh_mean_acc test_thresh_mean_acc label_outside_acc label_nonsense_acc
    label_ileocecal_prec_nothresh label_ileocecal_acc_thresh label_cleansing_acc_thresh
    label_cleansing_biclassify_acc_thresh label_outside_TP label_cleansing_pred_bbps0_gt_bbps1 label_ileocecal_prec
    label_cleansing_acc mean_fps checkpoints/last.ckpt hparams.yaml pred_outside_gt_inside/ pred_bbps1_gt_bbps2/
    pred_lq_gt_hq/
""")

INBODY = {
    "verbs": _words("""
        ckpt_export download download_large_files init_bundle onnx_export run run_workflow trt_export verify_metadata
        verify_net_in_out
    """),
    "options": _words("""
        --config_file --meta_file --logging_file --args_file --tracking --filepath --ckpt_file --net_id --precision
        --use_onnx --use_trace --input_shape --key_in_ckpt --standalone --nnodes --nproc_per_node
    """),
    "scripts": _words("""
        scripts/data_process.py scripts/export_to_onnx.py --datapath --outpath --model --width --height --out_channels
        --multigpu
    """),
    "files": _words("""
        models/model.pt models/model.ts models/model_trt.ts eval/predictions.csv eval/metrics.csv configs/logging.conf
        large_files.yml label/train_samples.json label/val_samples.json label/test_samples.json
    """),
    "train.json": _words("""
        imports bundle_root ckpt_dir output_dir dataset_dir train_json val_json test_json train_fp train_dict val_fp
        val_dict val_interval device network_def network_def#spatial_dims network_def#in_channels
        network_def#num_classes network loss loss#reduction optimizer optimizer#lr train#deterministic_transforms
        train#random_transforms train#preprocessing train#dataset train#dataloader#batch_size train#dataloader#shuffle
        train#dataloader#num_workers train#inferer train#handlers train#key_metric train#postprocessing train#trainer
        train#trainer#max_epochs train#trainer#amp validate#preprocessing validate#dataset
        validate#dataloader#batch_size validate#dataloader#shuffle validate#dataloader#num_workers validate#inferer
        validate#postprocessing validate#handlers validate#key_metric validate#evaluator validate#evaluator#amp
        initialize run finalize
    """),
    "multi_gpu_train.json": _words("""
        device network train#sampler train#dataloader#sampler train#dataloader#shuffle train#trainer#train_handlers
        validate#sampler validate#dataloader#sampler validate#evaluator#val_handlers initialize run finalize
    """),
    "evaluate.json": _words("validate#postprocessing validate#handlers run"),
    "inference.json": _words("""
        imports bundle_root image_key load_pretrain output_dir output_filename dataset_dir test_json test_fp test_dict
        device network_def network preprocessing dataset dataloader inferer postprocessing handlers evaluator initialize
        run finalize
    """),
    "inference_trt.json": _words("imports handlers#0#_disabled_ network_def evaluator#amp initialize"),
    "metadata.json": _words("""
        schema version changelog name supported_apps monai_version pytorch_version numpy_version
        required_packages_version optional_packages_version task description authors copyright intended_use data_source
        data_type references image_classes label_classes pred_classes eval_metrics network_data_format
    """),
}
