import Foundation
import Primitives
import Storage

/// numpy's `.npy`: magic, version 1.0, the length of a Python literal that describes the array, padded to 64 bytes.
package enum NumPyArray {
  package static let magic: [UInt8] = [0x93] + Array("NUMPY".utf8)

  /// The header of an array of whole numbers without sign, little-endian, the last dimension the fastest.
  /// - Parameters:
  ///   - bytes: of a number: 1, 2, 4 or 8.
  ///   - shape: the dimensions.
  package static func header(bytes: Int, shape: [Int]) -> [UInt8] { header(type: "<u\(bytes)", shape: shape) }

  /// Writes numbers as an array of `<f8` of one dimension; the file appears whole.
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

  /// The type and the length of an array; the header and the size are checked.
  package static func shape(_ file: MappedFile) throws -> (tokenBytes: Int, count: Int, headerBytes: Int) {
    try file.withBytes { bytes in
      guard bytes.count >= 10, bytes.prefix(6).elementsEqual(magic), bytes[6] == 1 else {
        throw WeirError("\(file.path)@0", "is not a numpy array of version 1")
      }
      let headerBytes = 10 + Int(bytes[8]) + Int(bytes[9]) << 8
      guard bytes.count >= headerBytes else { throw WeirError("\(file.path)@\(bytes.count)", "ends within its header") }
      let text = String(decoding: bytes[10..<headerBytes], as: UTF8.self)
      guard let match = text.wholeMatch(of: /\{'descr': '<[ui]([1248])', 'fortran_order': False, 'shape': \(([0-9]{1,18}),\), \} *\n/),
        let tokenBytes = Int(match.1), let count = Int(match.2)
      else { throw WeirError("\(file.path)@10", "is no flat array of whole numbers") }
      guard count <= bytes.count, bytes.count == headerBytes + tokenBytes * count else {
        throw WeirError("\(file.path)@10", "\(count) tokens do not fit a file of \(bytes.count) bytes")
      }
      return (tokenBytes, count, headerBytes)
    }
  }
}
