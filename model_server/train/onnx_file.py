"""Writes the weights of the network as ONNX, in the few operators that OpenCV 4.6 reads."""

import numpy as np
from onnx import TensorProto, checker, helper, numpy_helper

_OPSET = 11  # From 13 on Squeeze takes its axes as an input, which OpenCV 4.6 does not know.
_IR_VERSION = 7


def _gates(weights):
    """Gate blocks in ONNX's order i, o, f, c from torch's i, f, c, o."""
    i, f, c, o = np.split(weights.numpy(), 4)
    return np.concatenate([i, o, f, c])


def _lstm(state, layer):
    """(name, array) of the constants of one layer."""

    def get(part):
        return _gates(state[f"lstm.{part}_l{layer}"])

    biases = np.concatenate([get("bias_ih"), get("bias_hh")])
    return [
        (f"input_weights_{layer}", get("weight_ih")[np.newaxis]),
        (f"hidden_weights_{layer}", get("weight_hh")[np.newaxis]),
        (f"biases_{layer}", biases[np.newaxis]),
    ]


def model_bytes(state, name, version, lags):
    """The file, of a state_dict with lstm.* of two layers and head.*; the same for the same one."""
    hidden = state["lstm.weight_hh_l0"].shape[1]
    constants = [*_lstm(state, 0), *_lstm(state, 1)]
    constants.append(("head_weights", state["head.weight"].numpy().T.copy()))
    constants.append(("head_bias", state["head.bias"].numpy()))
    nodes = [helper.make_node("Transpose", ["input"], ["steps"], "by_time", perm=[1, 0, 2])]
    below = "steps"
    for layer in range(2):
        inputs = [below, *(name for name, _ in constants[3 * layer : 3 * layer + 3])]
        nodes.append(
            helper.make_node(
                "LSTM", inputs, [f"states_{layer}"], f"lstm_{layer}", hidden_size=hidden
            )
        )
        below = f"hidden_{layer}"
        nodes.append(
            helper.make_node("Squeeze", [f"states_{layer}"], [below], f"squeeze_{layer}", axes=[1])
        )
    nodes += [
        helper.make_node("MatMul", [below, "head_weights"], ["product"], "head_product"),
        helper.make_node("Add", ["product", "head_bias"], ["values"], "head_sum"),
        helper.make_node("Transpose", ["values"], ["output"], "by_batch", perm=[1, 0, 2]),
    ]
    shape = [1, lags, 1]
    graph = helper.make_graph(
        nodes,
        name,
        [helper.make_tensor_value_info("input", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("output", TensorProto.FLOAT, shape)],
        [numpy_helper.from_array(np.ascontiguousarray(a), n) for n, a in constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", _OPSET)])
    model.ir_version = _IR_VERSION
    helper.set_model_props(model, {"name": name, "version": version})
    checker.check_model(model)
    return model.SerializeToString(deterministic=True)
