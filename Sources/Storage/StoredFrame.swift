/// A zstd frame whose blocks are stored as they are (RFC 8878, 3.1.1): what it costs is a copy, and any zstd reader understands it. Blocks are
/// cut by content alone. It has no checksum of its own: the stream's proof has one.
struct StoredFrame {
  /// Bytes of a block, the window's size, and the most that the format allows.
  static let blockBytes = 1 << 17
  /// Magic number; no size, no checksum, no dictionary; a window of 2¹⁷ bytes.
  private static let head: [UInt8] = [0x28, 0xB5, 0x2F, 0xFD, 0x00, 0x38]

  private let emit: (_ head: [UInt8], UnsafeRawBufferPointer) throws -> Void
  private var begun = false
  /// What does not fill a block yet.
  private var pending: [UInt8] = []

  /// Creates a frame whose pieces go to `emit`, each as a few bytes and a block's content.
  init(emit: @escaping (_ head: [UInt8], UnsafeRawBufferPointer) throws -> Void) { self.emit = emit }

  /// Writes content.
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

  /// Ends the frame.
  mutating func finish() throws { try pending.withUnsafeBytes { try block($0, last: true) } }

  private mutating func block(_ content: UnsafeRawBufferPointer, last: Bool) throws {
    let header = UInt32(content.count) << 3 | (last ? 1 : 0)
    let bytes = [UInt8(truncatingIfNeeded: header), UInt8(truncatingIfNeeded: header >> 8), UInt8(header >> 16)]
    try emit((begun ? [] : Self.head) + bytes, content)
    begun = true
  }
}
