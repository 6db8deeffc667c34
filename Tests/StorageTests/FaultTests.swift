import Foundation
import Primitives
import Storage
import TestSupport
import Testing

/// Damaged, hostile and unusual files.
@Suite struct FaultTests {
  private func folder(_ path: String, _ content: String = "content") throws -> Manifest {
    let output = try AtomicFolder(path)
    try Files.write(Array(content.utf8), to: output.working + "/a.txt")
    return try output.commit(
      format: "weir.test.1", tool: "test", inputs: [:], configuration: .object([:]), counts: ["things": 2], blocks: true)
  }

  @Test func whatIsNoFileIsNotWrittenThrough() throws {
    try withTemporaryFolder { folder in
      try Files.write(Array("precious".utf8), to: folder + "/other")
      let partial = folder + "/out.partial"
      for (make, what) in [
        ({ symlink(folder + "/other", partial) }, "a symbolic link"), ({ symlink(folder + "/none", partial) }, "a symbolic link"),
        ({ mkfifo(partial, 0o666) }, "a pipe"), ({ link(folder + "/other", partial) }, "a hard link"),
      ] {
        #expect(make() == 0)
        #expect(errorMessage { try Files.write([1], to: folder + "/out") }.contains("out.partial: is \(what)"))
        unlink(partial)
      }
      #expect(try Files.read(folder + "/other") == Array("precious".utf8) && Files.entries(of: folder) == ["other"])
      // Nor is a folder emptied through a link.
      try Files.createFolder(folder + "/theirs")
      try Files.write([1], to: folder + "/theirs/x")
      #expect(symlink(folder + "/theirs", partial) == 0)
      for resuming in [false, true] {
        let message = errorMessage { _ = try AtomicFolder(folder + "/out", replacing: true, resuming: resuming) }
        #expect(message.contains("out.partial: is a symbolic link"), "\(message)")
      }
      unlink(partial)
      try Files.createFolder(partial)
      #expect(symlink(folder + "/theirs", partial + "/tokenizer") == 0)
      try Files.removeLinks(below: partial)
      #expect(try Files.entries(of: partial) == [] && Files.entries(of: folder + "/theirs") == ["x"])
    }
  }

  /// Neither a device nor a link to one is replaced by a file.
  @Test func linksToStreamsAreWrittenInto() throws {
    try withTemporaryFolder { folder in
      var ends: [Int32] = [0, 0]
      #expect(pipe(&ends) == 0)
      defer { for end in ends { close(end) } }
      func isLink(_ path: String) -> Bool { (try? FileManager.default.destinationOfSymbolicLink(atPath: path)) != nil }
      let link = folder + "/link"
      for target in ["/proc/self/fd/\(ends[1])", "/dev/fd/\(ends[1])", "/proc/\(getpid())/fd/\(ends[1])"] {
        #expect(symlink(target, link) == 0)
        try Files.write(Array("text".utf8), to: link)
        var buffer = [UInt8](repeating: 0, count: 16)
        #expect(read(ends[0], &buffer, 16) == 4 && isLink(link))
        unlink(link)
      }
      // What the process has opened is written where it stands, as a shell does with `>>`.
      try Files.write(Array("first\n".utf8), to: folder + "/file")
      let file = open(folder + "/file", O_WRONLY | O_APPEND)
      defer { close(file) }
      #expect(symlink("/proc/self/fd/\(file)", link) == 0)
      try Files.write(Array("second\n".utf8), to: link)
      #expect(try Files.read(folder + "/file") == Array("first\nsecond\n".utf8) && isLink(link))
      unlink(link)
      #expect(symlink("/dev/null", link) == 0)
      try Files.write([1], to: link)
      #expect(isLink(link))
      unlink(link)
      // A link to a file leads to its replacement, and one to nothing is refused.
      #expect(symlink("file", link) == 0)
      try Files.write([7], to: link)
      #expect(try Files.read(folder + "/file") == [7] && isLink(link))
      unlink(link)
      #expect(symlink("none", link) == 0)
      #expect(errorMessage { try Files.write([1], to: link) }.contains("is a symbolic link to a file that does not exist"))
      #expect(try isLink(link) && Files.entries(of: folder) == ["file", "link"])
    }
  }

  @Test func namesOfOutputsAreBytes() throws {
    try withTemporaryFolder { folder in
      let bytes: [CChar] = [0x64, -2, -6, 0]
      let name = FileName.string(bytes)
      try Files.write([1, 2], to: folder + "/" + name)
      _ = try self.folder(folder + "/" + name + ".set")
      _ = try AppendedFile(folder + "/" + name)
      var status = stat()
      for suffix in ["", ".set", ".set/manifest.json"] {
        let path = Array(folder.utf8) + [0x2F, 0x64, 0xFE, 0xFA] + Array(suffix.utf8) + [0]
        #expect(stat(path.map { CChar(bitPattern: $0) }, &status) == 0)
      }
      #expect(try Files.read(folder + "/" + name) == [1, 2])
      #expect(try Files.entries(of: folder) == [name, name + ".set"])
    }
  }

  @Test func aLockThatIsNoFileIsNamed() throws {
    try withTemporaryFolder { folder in
      let lock = folder + "/.out.lock"
      for make in [{ symlink("none", lock) }, { mkdir(lock, 0o777) }, { mkfifo(lock, 0o666) }] {
        #expect(make() == 0)
        #expect(errorMessage { try Files.write([1], to: folder + "/out") }.contains(".out.lock: is a"))
        try Files.remove(lock)
      }
      #expect(try Files.entries(of: folder) == [])
    }
  }

  @Test func aMalformedSealIsNoMissingOne() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/a.json"
      for seal in ["\"zz\"", "7", "null", "\"0123456789abcdeg\"", "\"0123456789abcdef0\""] {
        try Files.write(Array("{\n  \"a\" : 1,\n  \"xxh3\" : \(seal)\n}\n".utf8), to: path)
        #expect(errorMessage { _ = try JSONFile.readSealed(JSONValue.self, from: path) }.contains("changed"), "\(seal)")
      }
      try Files.write(Array("{\"a\": \"xxh3\"}\n".utf8), to: path)
      #expect(try JSONFile.readSealed(JSONValue.self, from: path)["a"] == "xxh3")
    }
  }

  @Test func pipesAndDevicesAreRefusedAtOnce() throws {
    try withTemporaryFolder { folder in
      let pipe = folder + "/p.json"
      #expect(mkfifo(pipe, 0o666) == 0)
      for path in [pipe, "/dev/zero"] {
        #expect(errorMessage { _ = try MappedFile(path) }.contains("is not a regular file"))
        #expect(errorMessage { _ = try JSONFile.read(JSONValue.self, from: path) }.contains("is not a regular file"))
        #expect(errorMessage { _ = try Checksum.hex(file: path) }.contains("is not a regular file"))
        #expect(errorMessage { _ = try ByteReader(path, isRegular: true) }.contains("is not a regular file"))
      }
      #expect(symlink("/dev/zero", folder + "/manifest.json") == 0)
      #expect(errorMessage { _ = try Manifest.read(folder: folder) }.contains("is not a regular file"))
      try Files.write([0x7B], to: folder + "/large.json")
      #expect(truncate(folder + "/large.json", 1 << 40) == 0)
      #expect(errorMessage { _ = try JSONFile.read(JSONValue.self, from: folder + "/large.json") }.contains("more than the 1073741824"))
    }
  }

  @Test func everyBitOfAFolderIsChecked() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/out"
      let manifest = try self.folder(path)
      #expect(manifest.files.map(\.name) == ["a.txt", "blocks.xxh3"])
      func content() throws -> [UInt8] {
        let manifest = try Manifest.read(folder: path, format: "weir.test.1")
        let whole = try manifest.read("a.txt", in: path)
        let file = try CheckedFile("a.txt", of: manifest, in: path, blocks: BlockChecksums(manifest, in: path))
        #expect(try file.withBytes(0..<3) { Array($0.prefix(3)) } == Array(whole.prefix(3)))
        return whole
      }
      for name in try Files.entries(of: path) {
        let whole = try Files.read(path + "/" + name)
        for bit in 0..<8 * whole.count {
          var damaged = whole
          damaged[bit / 8] ^= 1 << UInt8(bit % 8)
          try Data(damaged).write(to: URL(fileURLWithPath: path + "/" + name))
          if let found = try? content() { #expect(found == Array("content".utf8), "\(name) bit \(bit)") }
        }
        try Data(whole).write(to: URL(fileURLWithPath: path + "/" + name))
      }
      #expect(try content() == Array("content".utf8))
    }
  }

  @Test func blocksAreCheckedAsTheyAreRead() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/out", size = BlockChecksums.blockBytes
      let output = try AtomicFolder(path)
      let bytes = (0..<3 * size + 5).map { UInt8(truncatingIfNeeded: $0 &* 7) }
      try Files.write(bytes, to: output.working + "/x.bin")
      let manifest = try output.commit(
        format: "weir.test.1", tool: "test", inputs: [:], configuration: .object([:]), counts: [:], blocks: true)
      // The checksums of blocks do not change what a folder is.
      var bare = manifest
      bare.files.removeAll { $0.name == BlockChecksums.fileName }
      #expect(bare.fingerprint == manifest.fingerprint)
      var damaged = bytes
      damaged[size + 9] ^= 4
      try Data(damaged).write(to: URL(fileURLWithPath: path + "/x.bin"))
      let file = try CheckedFile("x.bin", of: manifest, in: path, blocks: BlockChecksums(manifest, in: path))
      for range in [0..<size, 2 * size..<bytes.count, 0..<0] { try file.check(range) }
      for range in [size..<size + 1, size - 1..<size + 1, 0..<bytes.count] {
        #expect(errorMessage { try file.check(range) }.contains("x.bin@\(size): is damaged"))
      }
      // A folder of an earlier version has no such checksums; what is read as a whole is still checked.
      let old = try CheckedFile("x.bin", of: bare, in: path, blocks: BlockChecksums(bare, in: path))
      try old.check(0..<bytes.count)
      #expect(errorMessage { try old.check() }.contains("is damaged"))
    }
  }

  @Test(arguments: ["../x", "/x", "a//b", "./a", "a/..", "", "a/", "a\u{0}"])
  func namesThatLeaveTheFolderAreRefused(_ name: String) throws {
    try withTemporaryFolder { folder in
      let good = FileRecord(name: "a", bytes: 1, xxh3: "0123456789abcdef")
      for record in [
        FileRecord(name: name, bytes: 1, xxh3: good.xxh3), FileRecord(name: "a", bytes: -1, xxh3: good.xxh3),
        FileRecord(name: "a", bytes: 1 << 60, xxh3: good.xxh3), FileRecord(name: "a", bytes: 1, xxh3: "0123456789ABCDEF"),
      ] {
        try Manifest(format: "f", tool: "t", inputs: [:], configuration: .null, counts: [:], files: [record]).write(folder: folder)
        #expect(errorMessage { _ = try Manifest.read(folder: folder) }.contains("lists an invalid file"), "\(record)")
      }
      for count in [-5, 1 << 60, .min] {
        try Manifest(format: "f", tool: "t", inputs: [:], configuration: .null, counts: ["tokens": count], files: [good]).write(
          folder: folder)
        #expect(errorMessage { _ = try Manifest.read(folder: folder) }.contains("counts \(count) tokens"))
      }
    }
  }

  @Test func aListOfChecksumsCoversWhatItNames() throws {
    try withTemporaryFolder { folder in
      try Files.createFolder(folder + "/steps")
      for name in ["run.json", "steps/a.json"] { try JSONFile.write(["x": 1], to: folder + "/" + name) }
      try ChecksumList.add(["run.json", "steps/a.json", "gone"], in: folder)
      #expect(try ChecksumList.read(folder)?.files.map(\.name) == ["run.json", "steps/a.json"])
      for name in ["run.json", "steps/a.json"] {
        let path = folder + "/" + name
        #expect(try JSONFile.read([String: Int].self, from: path) == ["x": 1])
        try Files.write(Array("{\"x\": 2}".utf8), to: path)
        #expect(errorMessage { _ = try JSONFile.read([String: Int].self, from: path) }.contains("\(name): is damaged"))
      }
      // A file that is being written is not on the list.
      try ChecksumList.remove(["run.json"], in: folder)
      #expect(try JSONFile.read([String: Int].self, from: folder + "/run.json") == ["x": 2])
      let list = folder + "/" + ChecksumList.fileName, whole = try Files.read(list)
      for bit in 0..<8 * whole.count {
        var damaged = whole
        damaged[bit / 8] ^= 1 << UInt8(bit % 8)
        try Data(damaged).write(to: URL(fileURLWithPath: list))
        #expect(throws: WeirError.self, "bit \(bit)") { try ChecksumList.read(folder) }
      }
    }
  }

  @Test func longNamesAreShortenedInErrors() {
    let message = WeirError(String(repeating: "x", count: 100_000), "two held-out sets have this name").description
    #expect(message.count < 1_000 && message.hasSuffix("x: two held-out sets have this name"))
  }
}
