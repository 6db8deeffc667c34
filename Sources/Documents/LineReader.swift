import Foundation
import Storage

/// Reads the lines of a file, plain or compressed, one at a time and without their newlines.
package final class LineReader {
  private let reader: ByteReader
  private let buffer: UnsafeMutableRawBufferPointer
  private var start = 0
  private var end = 0
  /// Lines read so far.
  package private(set) var lines = 0

  /// - Parameter isRegular: whether anything but a regular file is refused, as in folders that Weir writes.
  package init(_ path: String, isRegular: Bool = false) throws {
    reader = try ByteReader(path, isRegular: isRegular)
    buffer = .allocate(byteCount: Files.pieceBytes, alignment: 64)
  }

  deinit { buffer.deallocate() }

  /// What a weir stream contains; nil where the file is not a weir stream.
  package var kind: StreamKind? { reader.kind }

  /// The next line; nil at the end, after a stream's end marker has been checked. A last line without a newline counts.
  package func next() throws -> [UInt8]? {
    var line: [UInt8] = []
    while true {
      if start == end {
        (start, end) = (0, try reader.read(into: buffer))
        if end == 0 {
          if line.isEmpty {
            try reader.finish(records: lines)
            return nil
          }
          lines += 1
          return line
        }
      }
      let rest = UnsafeRawBufferPointer(rebasing: buffer[start..<end])
      if let base = rest.baseAddress, let found = memchr(base, 0x0A, rest.count) {
        let length = UnsafeRawPointer(found) - base
        line.append(contentsOf: UnsafeRawBufferPointer(rebasing: rest[..<length]))
        start += length + 1
        lines += 1
        return line
      }
      line.append(contentsOf: rest)
      start = end
    }
  }

  /// Reads a file to its end to verify the checksums of its compression and a weir stream's end marker.
  package static func readThrough(_ path: String, _ body: () throws -> Void) throws {
    try ByteReader(path, isRegular: true).forEachPiece { _ in try body() }
  }
}
