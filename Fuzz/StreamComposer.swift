import CZstd

@testable import Storage

/// Composes a Weir stream as directed by the bytes of the fuzzer: content frames with correct checksums, valid and invalid heads and
/// proofs, foreign frames, truncations. Mutating a complete stream would rarely get past the first checksum.
struct StreamComposer {
  private var input: ArraySlice<UInt8>
  private var bytes: [UInt8] = []
  private var checksum: UInt64 = 0
  private var records: UInt64 = 0

  init(_ input: [UInt8]) { self.input = input[...] }

  private mutating func next() -> UInt8 { input.popFirst() ?? 0 }

  private mutating func take(_ count: Int) -> [UInt8] {
    defer { input = input.dropFirst(count) }
    return Array(input.prefix(count))
  }

  /// Composes the stream. If the lowest bit of the first byte is set, it is a complete stream of `kind` with the rest of the input as
  /// content.
  mutating func compose(kind: StreamKind) -> [UInt8] {
    if next() & 1 == 1 {
      bytes = StreamFormat.encodeHead(kind)
      content(Array(input))
      endMarker(kind, wrong: 0)
      return bytes
    }
    while !input.isEmpty {
      let code = next()
      let kind: StreamKind = code & 0x10 == 0 ? .documents : .tokens
      switch code & 7 {
      case 0, 1: bytes += StreamFormat.encodeHead(kind)
      case 2, 3: content(take(Int(next())))
      case 4, 5: endMarker(kind, wrong: code & 0x20 == 0 ? 0 : next())
      case 6:
        let payload = take(Int(next()))
        let magic = StreamFormat.magic ^ UInt32(code & 0x20 == 0 ? 0 : next() & 15)
        bytes += little(magic) + little(UInt32(payload.count) &+ UInt32(code >> 6)) + payload
      default:
        if code & 0x20 == 0 { bytes += take(Int(next() & 31)) } else { bytes.removeLast(min(bytes.count, Int(next()))) }
      }
    }
    return bytes
  }

  private func little(_ value: UInt32) -> [UInt8] { withUnsafeBytes(of: value.littleEndian) { Array($0) } }

  private mutating func content(_ content: [UInt8]) {
    checksum = Checksum.xxh3(content)
    records &+= UInt64(content.count { $0 == 0x0A })
    var packed = [UInt8](repeating: 0, count: ZSTD_compressBound(content.count))
    let size = packed.withUnsafeMutableBytes { target in
      content.withUnsafeBytes { ZSTD_compress(target.baseAddress, target.count, $0.baseAddress, $0.count, 1) }
    }
    bytes += packed[..<min(size, packed.count)]
  }

  private mutating func endMarker(_ kind: StreamKind, wrong: UInt8) {
    bytes += StreamFormat.encode(
      StreamFormat.EndMarker(records: wrong & 2 == 0 ? records : .max - UInt64(wrong), checksum: checksum ^ UInt64(wrong & 1), kind: kind))
    records = 0
  }
}
