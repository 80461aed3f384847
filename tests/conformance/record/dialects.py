"""What providers that do not speak OpenAI's format send: answers, streams and errors, built from the same plan as the recorder's own.

A dialect is recognised by the path of a call, as a provider's client makes it. Bodies have the fields that LiteLLM reads; errors have the
provider's own types and shapes, because LiteLLM looks at their text.
"""
import binascii
import json
import struct


class Anthropic:
    ERRORS = {400: "invalid_request_error", 401: "authentication_error", 403: "permission_error", 404: "not_found_error", 413: "request_too_large",
              429: "rate_limit_error", 500: "api_error", 504: "timeout_error", 529: "overloaded_error"}
    CONTEXT = "prompt is too long: 208310 tokens > 200000 maximum"
    POLICY = "Output blocked by content filtering policy"

    def is_stream(self, path, body):
        return bool(body.get("stream"))

    def ok(self, tokens, model):
        return {"id": "msg_x", "type": "message", "role": "assistant", "model": model, "content": [{"type": "text", "text": "ok"}],
                "stop_reason": "end_turn", "stop_sequence": None, "usage": {"input_tokens": tokens[0], "output_tokens": tokens[1]}}

    def error(self, status, message):
        return {"type": "error", "error": {"type": self.ERRORS.get(status, "api_error"), "message": message}}

    def frame(self, event):
        return b"event: " + event["type"].encode() + b"\ndata: " + json.dumps(event).encode() + b"\n\n"

    def stream(self, tokens, model, gaps):
        """(pause, bytes, whether it is a piece of the answer) ..."""
        start = {**self.ok((tokens[0], 1), model), "content": [], "stop_reason": None}
        yield gaps[0], self.frame({"type": "message_start", "message": start}), False
        yield 0, self.frame({"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}}), False
        for i, gap in enumerate(gaps):
            yield (gap if i else 0), self.frame({"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": "tok "}}), True
        yield 0, self.frame({"type": "content_block_stop", "index": 0}), True
        yield 0, self.frame({"type": "message_delta", "delta": {"stop_reason": "end_turn", "stop_sequence": None}, "usage": {"output_tokens": tokens[1]}}), True
        yield 0, self.frame({"type": "message_stop"}), True


class Gemini:
    ERRORS = {400: "INVALID_ARGUMENT", 401: "UNAUTHENTICATED", 403: "PERMISSION_DENIED", 404: "NOT_FOUND", 429: "RESOURCE_EXHAUSTED", 500: "INTERNAL",
              503: "UNAVAILABLE", 504: "DEADLINE_EXCEEDED"}
    CONTEXT = "The input token count (1250000) exceeds the maximum number of tokens allowed (1048576)."
    POLICY = "The response was blocked."

    def is_stream(self, path, body):
        return "streamGenerateContent" in path

    def piece(self, tokens, text, finish):
        candidate = {"content": {"parts": [{"text": text}], "role": "model"}, "index": 0}
        if finish:
            candidate["finishReason"] = "STOP"
        return {"candidates": [candidate], "modelVersion": "gemini-2.5-flash",
                "usageMetadata": {"promptTokenCount": tokens[0], "candidatesTokenCount": tokens[1], "totalTokenCount": sum(tokens)}}

    def ok(self, tokens, model):
        return self.piece(tokens, "ok", True)

    def error(self, status, message):
        return {"error": {"code": status, "message": message, "status": self.ERRORS.get(status, "UNKNOWN")}}

    def stream(self, tokens, model, gaps):
        frame = lambda piece: b"data: " + json.dumps(piece).encode() + b"\r\n\r\n"
        for gap in gaps:
            yield gap, frame(self.piece((tokens[0], 1), "tok ", False)), True
        yield 0, frame(self.piece(tokens, "", True)), True


class Bedrock:
    CONTEXT = "Input is too long for requested model."
    POLICY = "Output blocked by content filtering policy"

    def is_stream(self, path, body):
        return path.endswith("/converse-stream")

    def usage(self, tokens):
        return {"inputTokens": tokens[0], "outputTokens": tokens[1], "totalTokens": sum(tokens)}

    def ok(self, tokens, model):
        return {"output": {"message": {"role": "assistant", "content": [{"text": "ok"}]}}, "stopReason": "end_turn",
                "usage": self.usage(tokens), "metrics": {"latencyMs": 1}}

    def error(self, status, message):
        return {"message": message}

    def frame(self, kind, payload):
        """One message of an AWS event stream: lengths, their sum, headers, payload, sum of all."""
        header = lambda name, value: struct.pack("B", len(name)) + name + b"\x07" + struct.pack(">H", len(value)) + value
        headers = header(b":event-type", kind.encode()) + header(b":content-type", b"application/json") + header(b":message-type", b"event")
        body = json.dumps(payload).encode()
        prelude = struct.pack(">II", 12 + len(headers) + len(body) + 4, len(headers))
        whole = prelude + struct.pack(">I", binascii.crc32(prelude)) + headers + body
        return whole + struct.pack(">I", binascii.crc32(whole))

    def stream(self, tokens, model, gaps):
        yield gaps[0], self.frame("messageStart", {"role": "assistant"}), False
        for i, gap in enumerate(gaps):
            yield (gap if i else 0), self.frame("contentBlockDelta", {"delta": {"text": "tok "}, "contentBlockIndex": 0}), True
        yield 0, self.frame("contentBlockStop", {"contentBlockIndex": 0}), True
        yield 0, self.frame("messageStop", {"stopReason": "end_turn"}), True
        yield 0, self.frame("metadata", {"usage": self.usage(tokens), "metrics": {"latencyMs": 1}}), True


def of_path(path):
    """The dialect of a call, or None for OpenAI's."""
    if path.endswith(("/messages", ":rawPredict", ":streamRawPredict")):
        return Anthropic()
    if path.endswith(("/converse", "/converse-stream")):
        return Bedrock()
    if path.endswith((":generateContent", ":streamGenerateContent")):
        return Gemini()
    return None
