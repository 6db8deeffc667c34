import Primitives
import Storage

/// The lines of a file one by one, without their newlines.
final class LineReader {
  private let file: MappedFile
  private var position = 0

  /// Opens a file.
  init(_ path: String) throws {
    guard !FileKind.isCompressed(try FileKind.head(of: path)) else {
      throw WeirError(path, "is compressed and cannot be read here", remedy: "decompress it first")
    }
    file = try MappedFile(path)
  }

  /// The next line; nil at the end. A last line without a newline counts.
  func next() throws -> [UInt8]? {
    guard position < file.count else { return nil }
    return file.withBytes { bytes in
      let rest = bytes[position...]
      let end = rest.firstIndex(of: 0x0A) ?? bytes.count
      defer { position = min(end + 1, bytes.count) }
      return Array(bytes[position..<end])
    }
  }
}
