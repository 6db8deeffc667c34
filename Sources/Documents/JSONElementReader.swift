import Primitives
import Storage

/// Reads the elements of JSON arrays, and objects that span several lines, as JSON Lines: one element per line.
///
/// Elements are copied as they are, except that a run of blanks between tokens becomes one space. Whether they are documents is for the parser
/// to say.
final class JSONElementReader: ByteSource {
  let path: String
  private let source: any ByteSource
  private var head: ArraySlice<UInt8>
  private var input: [UInt8] = []
  private var ended = false

  /// Whether an array around the elements is open.
  private var inArray = false
  /// Whether the current line has an element.
  private var inElement = false
  /// Brackets open within the element.
  private var depth = 0
  private var inString = false
  private var isEscaped = false
  private var followsBlank = false

  /// - Parameters:
  ///   - source: the content.
  ///   - head: what was already read of it.
  init(_ source: any ByteSource, head: [UInt8]) {
    path = source.path
    self.source = source
    self.head = head[...]
  }

  /// Reads up to `buffer.count` bytes of lines; 0 at the end.
  /// - Throws: `WeirError` where the content ends within an element or an array.
  func read(into buffer: UnsafeMutableRawBufferPointer) throws -> Int {
    var written = 0
    while written == 0, !ended, buffer.count > 0 {
      // No byte becomes more than one.
      if head.isEmpty { try fill(min(buffer.count, Files.pieceBytes)) }
      for byte in head.prefix(buffer.count) {
        guard let output = line(byte) else { continue }
        buffer[written] = output
        written += 1
      }
      head = head.dropFirst(buffer.count)
    }
    return written
  }

  private func fill(_ count: Int) throws {
    var got = 0
    input = try [UInt8](unsafeUninitializedCapacity: count) { room, filled in
      got = try source.read(into: UnsafeMutableRawBufferPointer(room))
      filled = got
    }
    head = input[...]
    guard got == 0 else { return }
    ended = true
    if inArray || depth > 0 || inString {
      throw WeirError(
        path, "ends within a JSON \(inArray ? "array" : "object")", remedy: "fetch or write it again; nothing was committed")
    }
  }

  /// What becomes of one byte; nil for none.
  private func line(_ byte: UInt8) -> UInt8? {
    if inString {
      inString = isEscaped || byte != 0x22
      isEscaped = !isEscaped && byte == 0x5C
      // A line feed within a string is not JSON, and must not end the line; nor is a vertical tab.
      return byte == 0x0A ? 0x0B : byte
    }
    if FileContent.isBlank(byte) {
      if depth == 0 { return !inArray && byte == 0x0A ? endOfElement() : nil }
      defer { followsBlank = true }
      return followsBlank ? nil : 0x20
    }
    followsBlank = false
    switch byte {
    case 0xEF where isOutside, 0xBB where isOutside, 0xBF where isOutside: return nil  // a byte order mark
    case 0x5B where isOutside:
      inArray = true
      return nil
    case 0x5B, 0x7B: depth += 1
    case 0x5D where depth == 0 && inArray:
      inArray = false
      return endOfElement()
    case 0x2C where depth == 0 && inArray: return endOfElement()
    case 0x5D, 0x7D: depth = max(0, depth - 1)
    case 0x22: inString = true
    default: break
    }
    inElement = true
    return byte
  }

  /// Whether no array and no element is open.
  private var isOutside: Bool { depth == 0 && !inElement && !inArray }

  private func endOfElement() -> UInt8? {
    defer { inElement = false }
    return inElement ? 0x0A : nil
  }
}
