"""Writes the q8 and the fp16 file beside every fp32 file of model folders of transformers.js.

    python3.11 -m venv ~/convert-venv
    ~/convert-venv/bin/pip install -r requirements.txt
    ~/convert-venv/bin/python convert.py [--per-tensor] FOLDER ...

In q8 every column of a weight has a scale of its own: swapped queries differ in size from column to column, and one scale for
all, which the conversion script of transformers.js took until version 4 and --per-tensor takes, loses the small ones.
"""

import sys
from pathlib import Path

import onnx
from onnxruntime.quantization import QuantType, quantize_dynamic
from onnxruntime.transformers.float16 import convert_float_to_float16

SUFFIXES = ('_fp16', '_int8', '_uint8', '_quantized', '_q4', '_q2', '_q1', '_q4f16', '_q2f16', '_q1f16', '_bnb4')


def q8(source: Path, target: Path, per_channel: bool) -> None:
    # ONNX Runtime Web has no convolution with signed weights.
    convolves = any(node.op_type == 'Conv' for node in onnx.load(source, load_external_data=False).graph.node)
    quantize_dynamic(
        source,
        target,
        per_channel=per_channel,
        weight_type=QuantType.QUInt8 if convolves else QuantType.QInt8,
        extra_options={'EnableSubgraph': True, 'MatMulConstBOnly': True},
    )


def fp16(source: Path, target: Path) -> None:
    onnx.save(convert_float_to_float16(onnx.load(source), keep_io_types=True), target)


def main(arguments: list[str]) -> None:
    per_channel = '--per-tensor' not in arguments
    for folder in (argument for argument in arguments if argument != '--per-tensor'):
        for source in sorted(Path(folder, 'onnx').glob('*.onnx')):
            if not source.stem.endswith(SUFFIXES):
                q8(source, source.with_name(f'{source.stem}_quantized.onnx'), per_channel)
                fp16(source, source.with_name(f'{source.stem}_fp16.onnx'))
                print(source)


if __name__ == '__main__':
    main(sys.argv[1:])
