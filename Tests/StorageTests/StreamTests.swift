import Foundation
import Primitives
import Storage
import TestSupport
import Testing

@Suite struct StreamTests {
  private func put(_ bytes: some Sequence<UInt8>, _ path: String) throws { try Data(bytes).write(to: URL(fileURLWithPath: path)) }

  private func content(_ path: String, piece: Int = 1 << 16) throws -> [UInt8] {
    let reader = try ByteReader(path)
    var bytes: [UInt8] = []
    var buffer = [UInt8](repeating: 0, count: piece)
    while true {
      let count = try buffer.withUnsafeMutableBytes { try reader.read(into: $0) }
      if count == 0 { return bytes }
      bytes += buffer[..<count]
    }
  }

  private func write(_ path: String, _ bytes: [UInt8], _ coding: OutputCoding, kind: StreamKind = .documents) throws {
    let writer = try StreamWriter(path, kind: kind, coding: coding)
    try writer.write(bytes, records: bytes.count { $0 == 0x0A })
    try writer.finish()
  }

  private func gzip(_ bytes: [UInt8], in folder: String) throws -> [UInt8] {
    try put(bytes, folder + "/input")
    let process = Process()
    process.executableURL = URL(fileURLWithPath: "/bin/gzip")
    process.arguments = ["-nkf", folder + "/input"]
    try process.run()
    process.waitUntilExit()
    return try Files.read(folder + "/input.gz")
  }

  @Test(arguments: [OutputCoding.plain, .zstd(level: 1), .zstd(level: 19), .stream(level: 3), .stream(level: nil)])
  func writtenContentIsRead(_ coding: OutputCoding) throws {
    try withTemporaryFolder { folder in
      for count in [0, 1, 50, 9_000] {
        let bytes = sampleLines(count, seed: UInt64(count))
        try write(folder + "/a", bytes, coding)
        for piece in [17, 1 << 18] where count < 100 || piece > 17 { #expect(try content(folder + "/a", piece: piece) == bytes) }
        let reader = try ByteReader(folder + "/a")
        #expect(try reader.readAll() == bytes)
        try reader.finish(records: count)
        if coding != .plain {
          #expect(errorMessage { try reader.finish(records: count + 1) }.contains("the end marker says \(count) records, but"))
        }
        if case .stream = coding { #expect(reader.kind == .documents) } else { #expect(reader.kind == nil) }
      }
    }
  }

  /// Several jobs of compression, on any number of threads, and however the content is handed over.
  @Test(arguments: [OutputCoding.zstd(level: 1), .stream(level: nil)]) func theBytesDependOnTheContentAlone(_ coding: OutputCoding) throws {
    try withTemporaryFolder { folder in
      let lines = sampleLines(9_000, seed: 3)
      let bytes = Array((0..<(5 << 20) / lines.count + 1).map { _ in lines }.joined())
      var expected: [UInt8]?
      for (threads, piece) in [(1, bytes.count), (1, 100_003), (2, 1 << 20), (3, 777_777), (5, 3 << 20), (1, 1 << 17), (1, (1 << 17) - 1)] {
        let writer = try StreamWriter(folder + "/a", kind: .documents, coding: coding, threads: threads)
        for start in stride(from: 0, to: bytes.count, by: piece) {
          try writer.write(Array(bytes[start..<min(bytes.count, start + piece)]), records: 0)
        }
        try writer.finish()
        let file = try Files.read(folder + "/a")
        if let expected { #expect(file == expected, "\(threads) threads, pieces of \(piece)") }
        expected = file
        #expect(try content(folder + "/a") == bytes)
      }
    }
  }

  @Test func gzipOfSeveralMembersIsRead() throws {
    try withTemporaryFolder { folder in
      let (first, second) = (sampleLines(3_000, seed: 1), sampleLines(20, seed: 2))
      let (one, two) = (try gzip(first, in: folder), try gzip(second, in: folder))
      try put(one + two + [0, 0, 0], folder + "/a")
      #expect(try content(folder + "/a") == first + second)
      try put(one + [7], folder + "/a")
      #expect(errorMessage { _ = try content(folder + "/a") }.contains("not gzip follows the last gzip member"))
      for count in 3..<two.count {
        try put(two[..<count], folder + "/a")
        #expect(errorMessage { _ = try content(folder + "/a") }.contains("ends within a gzip member"), "\(count)")
      }
      try put(gzip([], in: folder), folder + "/a")
      #expect(try content(folder + "/a") == [])
    }
  }

  @Test func everyTruncationOfZstdIsFound() throws {
    try withTemporaryFolder { folder in
      let bytes = sampleLines(40, seed: 5)
      for coding in [OutputCoding.zstd(level: 3), .stream(level: 3), .stream(level: nil)] {
        try write(folder + "/a", bytes, coding)
        let file = try Files.read(folder + "/a")
        let marker = 8 + 8 + 8 + 8 + 4 + "documents".utf8.count
        for count in 4..<file.count {
          try put(file[..<count], folder + "/b")
          let message = errorMessage { _ = try content(folder + "/b") }
          if case .stream = coding {
            #expect(
              message.contains("before its end marker") || count < 29 && message.contains("skippable"), "\(count): \(message)")
          } else if count == file.count - marker {
            #expect(message.isEmpty, "an ordinary .zst needs no end marker")
          } else {
            #expect(message.contains("ends within"), "\(count): \(message)")
          }
        }
      }
    }
  }

  @Test func everyFlippedBitOfAStreamIsFound() throws {
    try withTemporaryFolder { folder in
      let bytes = sampleLines(3, seed: 6)
      try write(folder + "/a", bytes, .stream(level: 3))
      let file = try Files.read(folder + "/a")
      for bit in 0..<8 * file.count {
        var damaged = file
        damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        try damaged.withUnsafeBufferPointer { try put($0, folder + "/b") }
        var same = false
        let message = errorMessage {
          let reader = try ByteReader(folder + "/b")
          let content = try reader.readAll()
          try reader.finish(records: 3)
          // A flip in the first bytes can make it no stream at all, but never documents that differ from what was written.
          same = content == bytes
        }
        let isNoStream = bit < 32 && (try? ByteReader(folder + "/b").kind) == StreamKind?.none
        #expect(!message.isEmpty || same || isNoStream, "bit \(bit)")
      }
    }
  }

  @Test func streamsOneAfterAnotherAreOne() throws {
    try withTemporaryFolder { folder in
      let (first, second) = (sampleLines(5, seed: 1), sampleLines(6, seed: 2))
      try write(folder + "/a", first, .stream(level: 1))
      try write(folder + "/b", second, .stream(level: 1))
      let (one, two) = (try Files.read(folder + "/a"), try Files.read(folder + "/b"))
      try put(one + two, folder + "/c")
      let reader = try ByteReader(folder + "/c")
      #expect(try reader.readAll() == first + second)
      try reader.finish(records: 11)
      try put(one.dropLast(46) + two, folder + "/c")
      #expect(!errorMessage { _ = try content(folder + "/c") }.isEmpty)
      try write(folder + "/z", first, .zstd(level: 1))
      try put(try Files.read(folder + "/z") + one, folder + "/c")
      #expect(try content(folder + "/c") == first + first)
      try write(folder + "/t", [1], .stream(level: 1), kind: .tokens)
      try put(one + (try Files.read(folder + "/t")), folder + "/c")
      #expect(errorMessage { _ = try content(folder + "/c") }.contains("cannot be joined"))
    }
  }

  @Test func foreignSkippableFramesAreSteppedOver() throws {
    try withTemporaryFolder { folder in
      let bytes = sampleLines(5, seed: 1)
      try write(folder + "/a", bytes, .zstd(level: 1))
      let frame: [UInt8] = [0x5E, 0x2A, 0x4D, 0x18, 3, 0, 0, 0, 1, 2, 3]
      let large: [UInt8] = [0x50, 0x2A, 0x4D, 0x18, 0, 4, 0, 0] + [UInt8](repeating: 1, count: 1_024)
      try put(frame + large + (try Files.read(folder + "/a")) + frame, folder + "/b")
      #expect(try content(folder + "/b") == bytes)
    }
  }

  @Test func otherVersionsAndKindsAreRefused() throws {
    try withTemporaryFolder { folder in
      try write(folder + "/a", [], .stream(level: 1))
      var file = try Files.read(folder + "/a")
      file[16] = 2
      try put(file, folder + "/b")
      #expect(errorMessage { _ = try content(folder + "/b") }.contains("version 2"))
      file[16] = 1
      file[20] = 0x78
      try put(file, folder + "/b")
      #expect(errorMessage { _ = try content(folder + "/b") }.contains("unknown kind"))
    }
  }

  @Test func gzipIsNotWritten() {
    #expect(errorMessage { _ = try OutputCoding.of(path: "a.jsonl.gz") }.contains(".gz output is not supported"))
  }
}
