import Primitives
import Storage

/// A row-major float32 matrix in a NumPy file (versions 1 and 2), little-endian, memory-mapped.
package final class NumPyMatrix: Sendable {
  package let rows: Int
  package let columns: Int
  private let file: MappedFile
  private let start: Int

  /// Maps a file and checks its header and size.
  package init(_ path: String) throws {
    file = try MappedFile(path)
    (rows, columns, start) = try file.withBytes { bytes in
      let (text, begin) = try NumPyArray.header(bytes, path: path)
      guard
        let match = text.wholeMatch(of: /\{'descr': '<f4', 'fortran_order': False, 'shape': \(([0-9]{1,12}), ([0-9]{1,6})\), \} *\n?/),
        let rows = Int(match.1), let columns = Int(match.2), columns > 0, begin % 4 == 0
      else {
        throw WeirError(
          "\(path)@10", "is not a row-major float32 array of two dimensions",
          remedy: "write it with numpy.save(path, numpy.ascontiguousarray(vectors, dtype=\"<f4\"))")
      }
      guard bytes.count == begin + 4 * rows * columns else {
        throw WeirError(
          "\(path)@10", "\(rows) vectors of \(columns) numbers do not fit a file of \(bytes.count) bytes", remedy: "write it again")
      }
      return (rows, columns, begin)
    }
  }

  /// XXH3-64 of the vectors.
  package var checksum: UInt64 { file.withBytes { Checksum.xxh3(UnsafeRawBufferPointer(rebasing: $0[start...])) } }

  /// Calls `body` with all vectors, row-major, which are valid during the call.
  package func withVectors<R>(_ body: (UnsafeBufferPointer<Float>) throws -> R) rethrows -> R {
    try file.withBytes { bytes in
      let numbers = UnsafeRawBufferPointer(rebasing: bytes[start...])
      return try body(numbers.assumingMemoryBound(to: Float.self))
    }
  }
}
