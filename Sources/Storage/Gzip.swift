import CZlib
import Primitives

/// gzip, for the small files that other tools read only in this compression. Files of weir are compressed with zstd.
package enum Gzip {
  /// Compresses bytes to one gzip member, without name or time.
  package static func compress(_ bytes: [UInt8]) throws -> [UInt8] {
    var stream = z_stream()
    guard
      deflateInit2_(&stream, 6, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY, ZLIB_VERSION, Int32(MemoryLayout<z_stream>.size)) == Z_OK
    else { throw outOfMemory("gzip") }
    defer { deflateEnd(&stream) }
    var packed: [UInt8] = []
    var room = [UInt8](repeating: 0, count: 1 << 16)
    var start = 0
    var status = Z_OK
    while status != Z_STREAM_END {
      // The counters of zlib have 32 bits.
      let given = min(bytes.count - start, 1 << 30)
      let last = start + given == bytes.count
      let made = bytes.withUnsafeBufferPointer { source in
        room.withUnsafeMutableBufferPointer { target in
          stream.next_in = source.baseAddress.map { UnsafeMutablePointer(mutating: $0 + start) }
          stream.avail_in = uInt(given)
          stream.next_out = target.baseAddress
          stream.avail_out = uInt(target.count)
          status = deflate(&stream, last ? Z_FINISH : Z_NO_FLUSH)
          return target.count - Int(stream.avail_out)
        }
      }
      start += given - Int(stream.avail_in)
      packed += room[..<made]
      guard status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR else {
        throw WeirError("gzip", "compression failed (zlib error \(status))", remedy: "report this error")
      }
    }
    return packed
  }
}
