import Foundation
import Primitives
import Storage
import TestSupport
import Testing

@Suite struct FilesTests {
  @Test func writtenFilesAreRead() throws {
    try withTemporaryFolder { folder in
      for count in [0, 1, 255, 70_000] {
        let bytes = (0..<count).map { UInt8(truncatingIfNeeded: $0 &* 31) }
        try Files.write(bytes, to: folder + "/a")
        #expect(try Files.read(folder + "/a") == bytes)
        #expect(try Files.entries(of: folder) == ["a"])
        let mapped = try MappedFile(folder + "/a")
        #expect(mapped.count == count)
        #expect(mapped.withBytes { Array($0) } == bytes)
        #expect(try Checksum.hex(file: folder + "/a") == Checksum.hex(Checksum.xxh3(bytes)))
      }
    }
  }

  @Test func checksumsAreXXH3() {
    // The test vector of the specification for empty input and seed 0.
    #expect(Checksum.hex(Checksum.xxh3([])) == "2d06800538d394c2")
    #expect(Checksum.hex(1) == "0000000000000001")
    let bytes = sampleLines(100, seed: 1)
    let stream = ChecksumStream()
    var start = 0
    while start < bytes.count {
      let end = min(bytes.count, start + 7 + start % 300)
      bytes[start..<end].withUnsafeBytes { stream.update($0) }
      start = end
    }
    #expect(stream.value == Checksum.xxh3(bytes))
  }

  @Test func uncommittedFileLeavesNothing() throws {
    try withTemporaryFolder { folder in
      try Files.write([1], to: folder + "/a")
      do {
        let file = try AtomicFile(folder + "/a")
        try file.write([2, 3])
        #expect(try Files.read(folder + "/a") == [1])
      }
      #expect(try Files.entries(of: folder) == ["a"])
      #expect(try Files.read(folder + "/a") == [1])
    }
  }

  @Test func secondWriterOfAFileIsRejected() throws {
    try withTemporaryFolder { folder in
      let first = try AtomicFile(folder + "/a")
      #expect(errorMessage { _ = try AtomicFile(folder + "/a") }.contains("would be written twice by this command"))
      try first.write([1])
      #expect(try first.commit() == FileRecord(name: "a", bytes: 1, xxh3: Checksum.hex(Checksum.xxh3([1]))))
    }
  }

  @Test func partialFileOfAKilledRunIsOverwritten() throws {
    try withTemporaryFolder { folder in
      try Files.write([9, 9, 9], to: folder + "/a.partial")
      try Files.write([1], to: folder + "/a")
      #expect(try Files.read(folder + "/a") == [1])
      #expect(try Files.entries(of: folder) == ["a"])
    }
  }

  @Test func symbolicLinkIsFollowed() throws {
    try withTemporaryFolder { folder in
      try Files.write([1], to: folder + "/a")
      try FileManager.default.createSymbolicLink(atPath: folder + "/b", withDestinationPath: folder + "/a")
      try Files.write([2], to: folder + "/b")
      #expect(try Files.read(folder + "/a") == [2])
    }
  }

  @Test func errorsSayWhatToDo() throws {
    try withTemporaryFolder { folder in
      #expect(errorMessage { _ = try Files.read(folder + "/none") } == "\(folder)/none: no such file or folder; check the path")
      #expect(errorMessage { _ = try Files.read(folder) } == "\(folder): is a folder, not a file; give a file")
      #expect(errorMessage { _ = try MappedFile(folder) }.contains("is a folder"))
      #expect(errorMessage { try Files.write([], to: folder) }.contains("is a folder"))
      #expect(errorMessage { try Files.write([], to: folder + "/none/a") }.contains("create its parent folder first"))
      try Files.write([], to: folder + "/file")
      #expect(errorMessage { try Files.write([], to: folder + "/file/a") }.contains("not a folder"))
      #expect(errorMessage { try Files.createFolder(folder + "/file") }.contains("exists"))
      #expect(errorMessage { _ = try Files.read(folder + "/" + String(repeating: "x", count: 300)) }.contains("too long"))
    }
  }

  #if os(Linux)
  @Test func fullDiskIsReported() throws {
    #expect(errorMessage { try Files.write([1], to: "/dev/full") }.contains("no space left on device; free some space"))
    let writer = try StreamWriter("/dev/full", kind: .documents, coding: .zstd(level: 1))
    #expect(
      errorMessage {
        try writer.write(sampleLines(1_000, seed: 1), records: 1_000)
        try writer.finish()
      }.contains("no space left on device"))
  }
  #endif

  @Test func readOnlyFolderIsReported() throws {
    guard getuid() != 0 else { return }
    try withTemporaryFolder { folder in
      chmod(folder, 0o500)
      defer { chmod(folder, 0o700) }
      #expect(errorMessage { try Files.write([], to: folder + "/a") }.contains("permission denied; choose a path that you can write to"))
    }
  }

  @Test func foldersAreWalkedInOrder() throws {
    try withTemporaryFolder { folder in
      try Files.createFolder(folder + "/b/c")
      for name in ["z", "a", "b/x", "b/c/y", ".hidden"] { try Files.write([], to: folder + "/" + name) }
      #expect(try Files.walk(folder) == [".hidden", "a", "b/c/y", "b/x", "z"])
      #expect(try Files.walk(folder, hidden: false) == ["a", "b/c/y", "b/x", "z"])
    }
  }
}
