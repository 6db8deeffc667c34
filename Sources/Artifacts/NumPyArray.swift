import Foundation
import Primitives
import Storage

/// NumPy's `.npy` with a one-dimensional array: magic, version 1.0, and the length of a Python literal that describes the array, padded to 64
/// bytes.
package struct NumPyArray: Sendable {
  package static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// The header of a row-major array of little-endian unsigned integers.
  /// - Parameter bytes: bytes per element: 1, 2, 4 or 8.
  package static func header(bytes: Int, shape: [Int]) -> [UInt8] { header(type: "<u\(bytes)", shape: shape) }

  /// Writes a one-dimensional float64 array atomically.
  package static func write(_ numbers: [Double], to path: String) throws {
    let file = try AtomicFile(path)
    try file.write(header(type: "<f8", shape: [numbers.count]))
    try file.write(numbers.flatMap { number in (0..<8).map { UInt8(truncatingIfNeeded: number.bitPattern >> (8 * $0)) } })
    _ = try file.commit()
  }

  private static func header(type: String, shape: [Int]) -> [UInt8] {
    let dimensions = shape.count == 1 ? "\(shape[0])," : shape.map { "\($0)" }.joined(separator: ", ")
    var text = Array("{'descr': '\(type)', 'fortran_order': False, 'shape': (\(dimensions)), }".utf8)
    text += [UInt8](repeating: 0x20, count: 63 - (10 + text.count) % 64) + [0x0A]
    return magic + [1, 0, UInt8(text.count & 255), UInt8(text.count >> 8)] + text
  }

  /// Bytes per element.
  package let width: Int
  package let count: Int
  /// The elements start here.
  package let headerBytes: Int

  /// Reads a flat array of integers, and checks its header and its size.
  package init(_ file: MappedFile) throws {
    (width, count, headerBytes) = try file.withBytes { bytes in
      guard bytes.count >= 10, bytes.prefix(6).elementsEqual(Self.magic), bytes[6] == 1 else {
        throw WeirError("\(file.path)@0", "is not a NumPy array of version 1")
      }
      let headerBytes = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
      guard bytes.count >= headerBytes else { throw WeirError("\(file.path)@\(bytes.count)", "ends within its header") }
      let text = String(decoding: bytes[10..<headerBytes], as: UTF8.self)
      guard let match = text.wholeMatch(of: /\{'descr': '<[ui]([1248])', 'fortran_order': False, 'shape': \(([0-9]{1,18}),\), \} *\n/),
        let width = Int(match.1), let count = Int(match.2)
      else { throw WeirError("\(file.path)@10", "is not a one-dimensional array of integers") }
      guard count <= bytes.count, bytes.count == headerBytes + width * count else {
        throw WeirError("\(file.path)@10", "\(count) elements do not fit a file of \(bytes.count) bytes")
      }
      return (width, count, headerBytes)
    }
  }
}
