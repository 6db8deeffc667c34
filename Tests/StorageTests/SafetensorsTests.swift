import Foundation
import Primitives
import Storage
import TestSupport
import Testing

@Suite struct SafetensorsTests {
  private func put(_ header: String, data: Int, _ path: String) throws {
    var bytes = withUnsafeBytes(of: UInt64(header.utf8.count).littleEndian) { Array($0) }
    bytes += Array(header.utf8) + [UInt8](repeating: 0, count: data)
    try Data(bytes).write(to: URL(fileURLWithPath: path))
  }

  @Test func writtenTensorsAreRead() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.safetensors"
      let record = try Safetensors.write(
        path, floats: [("b.weight", [2, 3], [1, 2, 3, 4, 5, 6.5]), ("a", [], [7]), ("empty \"é\"", [0, 4], [])], metadata: ["format": "pt"])
      #expect(record.bytes == (try Files.size(path)))
      let file = try SafetensorsFile(path)
      #expect(file.names == ["b.weight", "a", "empty \"é\""] || file.names == ["b.weight", "empty \"é\"", "a"] || file.names.count == 3)
      #expect(file.metadata == ["format": "pt"])
      #expect(file.shape("b.weight") == [2, 3])
      #expect(file.shape("a") == [])
      #expect(try file.floats("b.weight") == [1, 2, 3, 4, 5, 6.5])
      #expect(try file.floats("empty \"é\"") == [])
      #expect(try file.withFloats("a") { Array($0) } == [7])
      #expect(errorMessage { _ = try file.floats("c") }.contains("has no tensor \"c\""))
    }
  }

  @Test func bytesFollowTheFormat() throws {
    try withTemporaryFolder { folder in
      _ = try Safetensors.write(folder + "/a", tensors: [("x", .U8, [3], [1, 2, 3])])
      let header = #"{"x":{"dtype":"U8","shape":[3],"data_offsets":[0,3]}}"#
      let padded = header + String(repeating: " ", count: (8 - header.utf8.count % 8) % 8)
      #expect(try Files.read(folder + "/a") == [UInt8(padded.utf8.count), 0, 0, 0, 0, 0, 0, 0] + Array(padded.utf8) + [1, 2, 3])
    }
  }

  /// Includes tensors without elements at the start, in the middle and at the end.
  @Test func incrementalWritesGiveTheSameBytes() throws {
    try withTemporaryFolder { folder in
      let tensors: [(name: String, shape: [Int], values: [Float])] = [
        ("none", [0, 2], []), ("a", [2, 3], [1, 2, 3, 4, 5, 6]), ("nothing", [0], []), ("b", [1], [7]), ("void", [3, 0], []),
      ]
      _ = try Safetensors.write(folder + "/whole", floats: tensors)
      let writer = try SafetensorsWriter(folder + "/pieces", layout: tensors.map { ($0.name, .F32, $0.shape) })
      for piece in [[1, 2], [], [3, 4, 5, 6], [7]] as [[Float]] { try piece.withUnsafeBufferPointer { try writer.append($0) } }
      _ = try writer.commit()
      #expect(try Files.read(folder + "/pieces") == Files.read(folder + "/whole"))
      _ = try SafetensorsWriter(folder + "/empty", layout: [("x", .F32, [0, 5])]).commit()
      #expect(try SafetensorsFile(folder + "/empty").floats("x") == [])
    }
  }

  @Test func halfPrecisionIsExact() throws {
    try withTemporaryFolder { folder in
      let halves: [UInt16] = [0x3C00, 0xC000, 0x0001, 0x03FF, 0x0400, 0x7BFF, 0x8000, 0x7C00, 0xFC00, 0x3555]
      let floats: [Float] = [1, -2, 0x1p-24, 0x1.FF8p-15, 0x1p-14, 65_504, -0.0, .infinity, -.infinity, 0.333251953125]
      let brains: [UInt16] = [0x3F80, 0xC000, 0x7F80, 0x4049]
      _ = try Safetensors.write(
        folder + "/a",
        tensors: [
          ("h", .F16, [10], halves.withUnsafeBytes { Array($0) }), ("b", .BF16, [4], brains.withUnsafeBytes { Array($0) }),
          ("d", .F64, [1], [2.5].withUnsafeBytes { Array($0) }), ("i", .I32, [1], [0, 0, 0, 0]),
        ])
      let file = try SafetensorsFile(folder + "/a")
      #expect(try file.floats("h").map(\.bitPattern) == floats.map(\.bitPattern))
      #expect(try file.floats("b") == [1, -2, .infinity, 3.140625])
      #expect(try file.withFloats("d") { Array($0) } == [2.5])
      #expect(errorMessage { _ = try file.floats("i") }.contains("is I32, not a floating-point type"))
    }
  }

  @Test func damagedHeadersAreRejected() throws {
    try withTemporaryFolder { folder in
      let cases: [(String, Int, String)] = [
        ("[]", 0, "does not begin with {"),
        ("{", 0, "not valid JSON"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 3, "do not fit"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}"#, 5, "follow the last tensor"),
        (#"{"a":{"dtype":"F32","shape":[2],"data_offsets":[0,4]}}"#, 4, "do not fit"),
        (#"{"a":{"dtype":"F32","shape":[-1],"data_offsets":[0,4]}}"#, 4, "invalid shape"),
        (#"{"a":{"dtype":"F32","shape":[1.5],"data_offsets":[0,4]}}"#, 4, "invalid shape"),
        (#"{"a":{"dtype":"F32","shape":[4611686018427387904,4],"data_offsets":[0,4]}}"#, 4, "too large"),
        (#"{"a":{"dtype":"F7","shape":[1],"data_offsets":[0,4]}}"#, 4, "is of type F7"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4],"x":1}}"#, 4, "nothing else"),
        (#"{"a":{"dtype":"F32","shape":[1]}}"#, 4, "needs dtype"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,0]}}"#, 4, "do not fit"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "gap"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"b":{"dtype":"F32","shape":[1],"data_offsets":[2,6]}}"#, 6, "overlaps"),
        (#"{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]},"a":{"dtype":"F32","shape":[1],"data_offsets":[4,8]}}"#, 8, "duplicated"),
        (#"{"__metadata__":{"a":1}}"#, 0, "not a string"),
        (#"{"__metadata__":{},"__metadata__":{}}"#, 0, "duplicated"),
        (#"{"a":1}"#, 0, "needs dtype"),
      ]
      for (header, data, reason) in cases {
        try put(header, data: data, folder + "/a")
        #expect(errorMessage { _ = try SafetensorsFile(folder + "/a") }.contains(reason), "\(header)")
      }
      try Data([UInt8](repeating: 0xFF, count: 16)).write(to: URL(fileURLWithPath: folder + "/a"))
      #expect(errorMessage { _ = try SafetensorsFile(folder + "/a") }.contains("not a safetensors file"))
    }
  }

  @Test func everyTruncationIsRejected() throws {
    try withTemporaryFolder { folder in
      _ = try Safetensors.write(folder + "/a", floats: [("x", [2], [1, 2])])
      let bytes = try Files.read(folder + "/a")
      for count in 0..<bytes.count {
        try Data(bytes[..<count]).write(to: URL(fileURLWithPath: folder + "/b"))
        #expect(errorMessage { _ = try SafetensorsFile(folder + "/b") }.hasPrefix(folder + "/b@"), "\(count)")
      }
    }
  }

  /// Opens a file and reads all its tensors. Either that works, or the error is one line with the path.
  private func survives(_ bytes: [UInt8], _ path: String) throws {
    try Data(bytes).write(to: URL(fileURLWithPath: path))
    do {
      let file = try SafetensorsFile(path)
      for name in file.names {
        let size = try file.withBytes(name) { $0.count }
        #expect(size <= bytes.count)
        if let floats = try? file.floats(name) {
          let count = file.shape(name)?.reduce(1) { $0 * $1 }
          #expect(floats.count == count)
        }
      }
    } catch let error as WeirError {
      #expect(error.place.hasPrefix(path) && !"\(error)".contains("\n"))
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func damagedFilesNeverTrap(_ seed: UInt64) throws {
    try withTemporaryFolder { folder in
      var random = SequentialRandom(seed: seed, stream: 77)
      _ = try Safetensors.write(
        folder + "/a",
        tensors: [
          ("model.x", .F32, [2, 3], [UInt8](repeating: 1, count: 24)), ("y", .BF16, [5], [UInt8](repeating: 2, count: 10)),
          ("é", .I64, [], [UInt8](repeating: 3, count: 8)), ("z", .F16, [0, 7], []),
        ], metadata: ["format": "pt"])
      let whole = try Files.read(folder + "/a")
      let sizes: [UInt64] = [0, 1, 7, 99_999_999, 100_000_001, 1 << 31, 1 << 63, UInt64(Int.max), .max, .max - 7, UInt64(whole.count - 8)]
      for _ in 0..<300 {
        var bytes = whole
        switch Int.random(in: 0..<5, using: &random) {
        case 0:
          for _ in 0..<Int.random(in: 1...4, using: &random) {
            bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
          }
        case 1: bytes = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
        case 2:
          let size = sizes[Int.random(in: 0..<sizes.count, using: &random)]
          bytes.replaceSubrange(0..<8, with: withUnsafeBytes(of: size.littleEndian) { Array($0) })
        case 3:
          // Replaces a character of the header.
          let marks = Array("0123456789-.e[]{},:\"".utf8)
          bytes[Int.random(in: 8..<bytes.count - 42, using: &random)] = marks[Int.random(in: 0..<marks.count, using: &random)]
        default:
          let from = Int.random(in: 0..<bytes.count, using: &random), to = Int.random(in: from...bytes.count, using: &random)
          bytes.removeSubrange(from..<to)
        }
        try survives(bytes, folder + "/b")
      }
    }
  }

  @Test func hostileHeadersAreRejected() throws {
    try withTemporaryFolder { folder in
      let most = "9223372036854775807", beyond = "18446744073709551615"
      for (shape, offsets) in [
        ("[\(most)]", "[0,4]"), ("[\(beyond)]", "[0,4]"), ("[1e400]", "[0,4]"), ("[1]", "[0,\(most)]"), ("[1]", "[\(most),\(most)]"),
        ("[1]", "[\(beyond),4]"), ("[1]", "[-4,0]"), ("[1]", "[4,0]"), ("[2147483648,2147483648]", "[0,4]"), ("[1]", "[0,4,8]"),
        ("[\(most),\(most),0]", "[0,0]"), ("[1]", "[0.0,4.0]"), ("{}", "[0,4]"), ("[[1]]", "[0,4]"), ("null", "[0,4]"),
      ] {
        let header = #"{"a":{"dtype":"F32","shape":"# + shape + #","data_offsets":"# + offsets + "}}"
        try put(header, data: 4, folder + "/a")
        let line = errorMessage { _ = try SafetensorsFile(folder + "/a") }
        #expect(line.hasPrefix(folder + "/a@") && !line.contains("\n"), "\(shape) \(offsets): \(line)")
      }
      let deep = String(repeating: "[", count: 200_000)
      try put("{\"a\":" + deep, data: 0, folder + "/a")
      #expect(errorMessage { _ = try SafetensorsFile(folder + "/a") }.contains("not valid JSON"))
      let ones = [String](repeating: "1", count: 10_000).joined(separator: ",")
      try put(#"{"a":{"dtype":"U8","shape":["# + ones + #"],"data_offsets":[0,1]}}"#, data: 1, folder + "/a")
      #expect(try SafetensorsFile(folder + "/a").shape("a")?.count == 10_000)
    }
  }
}
