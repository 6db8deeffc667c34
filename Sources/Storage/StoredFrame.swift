/// A zstd frame with uncompressed blocks (RFC 8878, section 3.1.1), which costs only a copy and which any zstd reader decodes. Block boundaries
/// depend on the content alone. The frame has no checksum; the end marker of the stream has one.
struct StoredFrame {
  /// The size of a block in bytes: the window size, and the maximum of the format.
  static let blockBytes = 1 << 17
  /// Magic number; no size, no checksum, no dictionary; a window of 2¹⁷ bytes.
  private static let head: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38]

  private let emit: (_ head: [UInt8], UnsafeRawBufferPointer) throws -> Void
  private var begun = false
  /// Content that does not fill a block yet.
  private var pending: [UInt8] = []

  /// - Parameter emit: receives a few header bytes and the content of a block.
  init(emit: @escaping (_ head: [UInt8], UnsafeRawBufferPointer) throws -> Void) { self.emit = emit }

  mutating func write(_ bytes: UnsafeRawBufferPointer) throws {
    var rest = bytes[...]
    while pending.count + rest.count >= Self.blockBytes {
      let piece = rest.prefix(Self.blockBytes - pending.count)
      rest = rest[piece.endIndex...]
      if pending.isEmpty {
        try block(UnsafeRawBufferPointer(rebasing: piece), last: false)
      } else {
        pending.append(contentsOf: piece)
        try pending.withUnsafeBytes { try block($0, last: false) }
        pending.removeAll(keepingCapacity: true)
      }
    }
    pending.append(contentsOf: rest)
  }

  mutating func finish() throws { try pending.withUnsafeBytes { try block($0, last: true) } }

  private mutating func block(_ content: UnsafeRawBufferPointer, last: Bool) throws {
    let header = UInt32(content.count) << 3 | (last ? 1 : 0)
    let bytes = [UInt8(truncatingIfNeeded: header), UInt8(truncatingIfNeeded: header >> 8), UInt8(header >> 16)]
    try emit((begun ? [] : Self.head) + bytes, content)
    begun = true
  }
}
