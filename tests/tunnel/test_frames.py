"""The frames of a client, in every portion and of every kind."""

import pytest
from commonsocket.tunnel.frames import (
    BINARY,
    CLOSE,
    HEADROOM,
    PING,
    TEXT,
    FrameError,
    FrameReader,
    close_payload,
    header,
    parse_close,
    put_header,
)
from hypothesis import given
from hypothesis import strategies as st
from raw_client import CONTINUATION, PONG, frame
from websockets.frames import Frame
from websockets.streams import StreamReader

LARGEST = 1 << 20


def messages_of(reader: FrameReader, portions: list[bytes]) -> list[tuple[int, bytes]]:
    """Return the messages, put together from their pieces; what is not whole is left out."""
    messages: list[tuple[int, bytes]] = []
    parts: dict[bool, bytes] = {False: b"", True: b""}
    for portion in portions:
        for opcode, payload, end in reader.feed(portion):
            control = opcode >= CLOSE
            parts[control] += payload
            if end:
                messages.append((opcode, parts[control]))
                parts[control] = b""
    return messages


@st.composite
def conversations(draw: st.DrawFn) -> tuple[list[tuple[int, bytes]], bytes]:
    """Draw messages and the frames that carry them: data in fragments, control frames between these."""
    messages = []
    stream = b""
    for _ in range(draw(st.integers(0, 4))):
        opcode = draw(st.sampled_from([TEXT, BINARY]))
        size = draw(st.sampled_from([0, 1, 3, 125, 126, 127, 200, 65535, 65536, 70000]))
        payload = bytes(index * 7 & 0xFF for index in range(min(size, 300))).ljust(size, b"x")
        cuts = sorted(draw(st.lists(st.integers(0, size), max_size=3)))
        fragments = [payload[start:end] for start, end in zip([0, *cuts], [*cuts, size], strict=True)]
        for index, fragment in enumerate(fragments):
            stream += frame(CONTINUATION if index else opcode, fragment, fin=index == len(fragments) - 1)
            if draw(st.booleans()) and index < len(fragments) - 1:
                control = draw(st.sampled_from([PING, PONG]))
                said = draw(st.binary(max_size=125))
                messages.append((control, said))
                stream += frame(control, said)
        messages.append((opcode, payload))
    return messages, stream


@given(conversations(), st.lists(st.integers(0, 1 << 20), max_size=12))
def test_any_split_of_the_stream_gives_the_same_messages(
    conversation: tuple[list[tuple[int, bytes]], bytes], cuts: list[int]
) -> None:
    messages, stream = conversation
    places = sorted(cut % (len(stream) + 1) for cut in cuts)
    portions = [stream[start:end] for start, end in zip([0, *places], [*places, len(stream)], strict=True)]
    assert messages_of(FrameReader(LARGEST), portions) == messages


@given(conversations())
def test_byte_by_byte(conversation: tuple[list[tuple[int, bytes]], bytes]) -> None:
    messages, stream = conversation
    stream = stream[:2000]
    whole = messages_of(FrameReader(LARGEST), [stream])
    assert messages_of(FrameReader(LARGEST), [stream[at : at + 1] for at in range(len(stream))]) == whole
    assert whole == messages[: len(whole)]


@given(st.binary(max_size=300), st.integers(0, 300))
def test_any_bytes_are_frames_or_an_error_of_the_peer(data: bytes, cut: int) -> None:
    def outcome(portions: list[bytes]) -> object:
        reader = FrameReader(1000)
        got = []
        try:
            for portion in portions:
                got += [(opcode, payload) for opcode, payload, _ in reader.feed(portion) if payload]
        except FrameError as error:
            return b"".join(payload for _, payload in got), error.code
        return b"".join(payload for _, payload in got), None

    assert outcome([data]) == outcome([data[:cut], data[cut:]])


@given(st.integers(0, 200000))
def test_the_library_reads_what_is_written(size: int) -> None:
    stream = StreamReader()
    stream.feed_data(header(BINARY, size) + bytes(size))
    stream.feed_eof()
    parsing = Frame.parse(stream.read_exact, mask=False, max_size=None)
    with pytest.raises(StopIteration) as parsed:
        next(parsing)
    assert parsed.value.value.data == bytes(size)
    assert parsed.value.value.fin


@pytest.mark.parametrize("size", [0, 125, 126, 65535, 65536])
def test_a_header_is_put_in_front_of_a_block(size: int) -> None:
    block = memoryview(bytearray(HEADROOM + size))
    start = put_header(block, HEADROOM + size)
    assert bytes(block[start:]) == header(BINARY, size) + bytes(size)


def test_pieces_come_before_the_message_is_whole() -> None:
    reader = FrameReader(LARGEST)
    whole = frame(BINARY, b"abcdefghij")
    assert list(reader.feed(whole[:-3])) == [(BINARY, b"abcdefg", False)]
    assert list(reader.feed(whole[-3:])) == [(BINARY, b"hij", True)]


def test_pieces_share_no_memory_with_what_was_read() -> None:
    memory = bytearray(frame(BINARY, b"abc"))
    ((_, payload, _),) = FrameReader(LARGEST).feed(memory)
    memory[:] = bytes(len(memory))
    assert payload == b"abc"


WRONG = {
    "unmasked": (frame(BINARY, b"x", masked=False), 1002),
    "reserved bit": (frame(BINARY, b"x", reserved=0x40), 1002),
    "reserved bit of a ping": (frame(PING, reserved=0x10), 1002),
    "unknown data opcode": (frame(3, b"x"), 1002),
    "unknown control opcode": (frame(11), 1002),
    "fragmented ping": (frame(PING, fin=False), 1002),
    "long ping": (frame(PING, bytes(126)), 1002),
    "length in too many bytes": (frame(BINARY, b"x", length_size=2), 1002),
    "length in far too many bytes": (frame(BINARY, bytes(200), length_size=8), 1002),
    "length of 64 bits": (bytes((0x82, 0xFF)) + b"\xff" * 8 + b"mask", 1002),
    "nothing to continue": (frame(CONTINUATION, b"x"), 1002),
    "a message within another": (frame(TEXT, b"x", fin=False) + frame(BINARY, b"y"), 1002),
    "a message within another that is binary": (frame(BINARY, b"x", fin=False) + frame(BINARY, b"y"), 1002),
    "too long": (frame(BINARY, bytes(1001)), 1009),
    "too long in fragments": (frame(BINARY, bytes(600), fin=False) + frame(CONTINUATION, bytes(600)), 1009),
}


@pytest.mark.parametrize("name", WRONG)
def test_an_error_of_the_peer_has_a_status(name: str) -> None:
    data, code = WRONG[name]
    with pytest.raises(FrameError) as raised:
        list(FrameReader(1000).feed(data))
    assert raised.value.code == code


def test_an_endless_length_is_refused_before_its_payload_comes() -> None:
    with pytest.raises(FrameError) as raised:
        list(FrameReader(1000).feed(bytes((0x82, 0xFF)) + (1 << 40).to_bytes(8, "big") + b"mask"))
    assert raised.value.code == 1009


@pytest.mark.parametrize("code", [1000, 1001, 1002, 1003, 1007, 1011, 1014, 3000, 4999])
def test_the_status_of_a_close_frame(code: int) -> None:
    assert parse_close(close_payload(code, "why")) == code


def test_a_close_frame_without_a_status() -> None:
    assert parse_close(b"") is None


@pytest.mark.parametrize(
    "payload", [b"\x03", *(code.to_bytes(2, "big") for code in (0, 999, 1004, 1005, 1006, 1015, 2999, 5000))]
)
def test_a_bad_status(payload: bytes) -> None:
    with pytest.raises(FrameError) as raised:
        parse_close(payload)
    assert raised.value.code == 1002


def test_a_reason_that_is_no_text() -> None:
    with pytest.raises(FrameError) as raised:
        parse_close(close_payload(1000) + b"\xff")
    assert raised.value.code == 1007


@given(st.text())
def test_a_long_reason_is_cut_between_characters(reason: str) -> None:
    payload = close_payload(1000, reason)
    assert len(payload) <= 125
    assert reason.startswith(payload[2:].decode())
