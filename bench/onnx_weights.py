"""The constants of an ONNX file as numpy arrays, without the onnx package: of Protocol Buffers' wire
format only what a file with raw 32-bit floats has."""
import numpy as np

# Field numbers of onnx.proto.
MODEL_GRAPH = 7
GRAPH_INITIALIZER = 5
TENSOR_DIMS, TENSOR_TYPE, TENSOR_NAME, TENSOR_RAW_DATA = 1, 2, 8, 9
TYPE_FLOAT = 1

VARINT, FIXED64, BYTES, FIXED32 = 0, 1, 2, 5


def varint(data, at):
    value = shift = 0
    while True:
        byte = data[at]
        value |= (byte & 0x7F) << shift
        at, shift = at + 1, shift + 7
        if byte < 0x80:
            return value, at


def fields(data):
    """(field number, value) of a message; a value is an int or a memoryview."""
    at = 0
    while at < len(data):
        key, at = varint(data, at)
        kind = key & 7
        if kind == VARINT:
            value, at = varint(data, at)
        else:
            size, at = varint(data, at) if kind == BYTES else ({FIXED64: 8, FIXED32: 4}[kind], at)
            value, at = data[at:at + size], at + size
        yield key >> 3, value


def tensor(data):
    """(name, array) of a TensorProto."""
    name, kind, raw, dims = "", None, b"", []
    for number, value in fields(data):
        if number == TENSOR_NAME:
            name = bytes(value).decode()
        elif number == TENSOR_TYPE:
            kind = value
        elif number == TENSOR_RAW_DATA:
            raw = value
        elif number == TENSOR_DIMS:
            if isinstance(value, int):
                dims.append(value)
            else:  # Packed.
                at = 0
                while at < len(value):
                    dim, at = varint(value, at)
                    dims.append(dim)
    if kind != TYPE_FLOAT:
        raise ValueError(f"{name}: not 32-bit floats")
    return name, np.frombuffer(raw, "<f4").reshape(dims)


def weights(path):
    """Name -> array."""
    with open(path, "rb") as file:
        data = memoryview(file.read())
    found = {}
    for number, graph in fields(data):
        if number == MODEL_GRAPH:
            found.update(tensor(value) for n, value in fields(graph) if n == GRAPH_INITIALIZER)
    return found
