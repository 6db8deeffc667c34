import Foundation
import Primitives
import Storage

/// The lines of a file, plain or compressed, one by one and without their newlines.
final class LineReader {
  private let reader: ByteReader
  private var buffer: [UInt8] = []
  private var start = 0
  private var ended = false
  /// Lines read so far.
  private(set) var lines = 0
  private static let piece = 1 << 18

  /// Opens a file.
  init(_ path: String) throws { reader = try ByteReader(path) }

  /// What a weir stream carries; nil where the file is none.
  var kind: StreamKind? { reader.kind }

  /// The next line; nil at the end, where a stream's proof has been checked. A last line without a newline counts.
  func next() throws -> [UInt8]? {
    var scanned = start
    while true {
      if let newline = newline(from: scanned) { return take(newline, skip: 1) }
      if ended {
        if start < buffer.count { return take(buffer.count, skip: 0) }
        try reader.finish(records: lines)
        return nil
      }
      scanned = buffer.count - start
      buffer.removeSubrange(..<start)
      start = 0
      try fill()
    }
  }

  private func take(_ end: Int, skip: Int) -> [UInt8] {
    defer { start = end + skip }
    lines += 1
    return Array(buffer[start..<end])
  }

  private func newline(from: Int) -> Int? {
    buffer.withUnsafeBytes { bytes in
      guard from < bytes.count, let base = bytes.baseAddress, let found = memchr(base + from, 0x0A, bytes.count - from) else { return nil }
      return UnsafeRawPointer(found) - base
    }
  }

  private func fill() throws {
    let held = buffer.count
    buffer.append(contentsOf: repeatElement(0, count: Self.piece))
    var got = 0
    defer { buffer.removeSubrange((held + got)...) }
    let reader = reader
    got = try buffer.withUnsafeMutableBytes { try reader.read(into: UnsafeMutableRawBufferPointer(rebasing: $0[held...])) }
    ended = got == 0
  }

  /// Reads a file to its end for the checksums of its compression, and a weir stream's proof.
  static func readThrough(_ path: String, _ body: () throws -> Void) throws {
    let reader = try ByteReader(path)
    let buffer = UnsafeMutableRawBufferPointer.allocate(byteCount: piece, alignment: 64)
    defer { buffer.deallocate() }
    while try reader.read(into: buffer) > 0 { try body() }
  }
}
