import Foundation
import Primitives
import Storage
import TestSupport
import Testing

@Suite struct AtomicFolderTests {
  private func write(_ path: String, _ content: String, replacing: Bool = false) throws -> Manifest {
    let folder = try AtomicFolder(path, replacing: replacing)
    try Files.createFolder(folder.working + "/deep")
    try Files.write(Array(content.utf8), to: folder.working + "/a")
    try Files.write(Array((content + content).utf8), to: folder.working + "/deep/b")
    return try folder.commit(
      format: "weir.test.1", tool: "test", inputs: ["x": "1"], configuration: ["k": 8, "name": "n", "half": 0.5, "list": [1, true]],
      counts: ["things": 2])
  }

  @Test func folderAppearsCompleteWithItsManifest() throws {
    try withTemporaryFolder { folder in
      let manifest = try write(folder + "/out/", "hello")
      #expect(try Files.walk(folder) == ["out/a", "out/deep/b", "out/manifest.json"])
      let read = try Manifest.read(folder: folder + "/out", format: "weir.test.1")
      #expect(read == manifest)
      #expect(read.fingerprint == manifest.fingerprint)
      #expect(read.files.map(\.name) == ["a", "deep/b"])
      #expect(try read.verifyFiles(in: folder + "/out") == [])
      #expect(
        errorMessage { _ = try Manifest.read(folder: folder + "/out", format: "weir.other.1") }.contains(
          "is a weir.test.1, not a weir.other.1"))
    }
  }

  @Test func toolIsNotPartOfTheFingerprint() throws {
    try withTemporaryFolder { folder in
      var manifest = try write(folder + "/a", "x")
      let fingerprint = manifest.fingerprint
      manifest.tool = "another"
      #expect(manifest.fingerprint == fingerprint)
      manifest.counts["things"] = 3
      #expect(manifest.fingerprint != fingerprint)
      #expect(try write(folder + "/b", "x").fingerprint == fingerprint)
      #expect(try write(folder + "/c", "y").fingerprint != fingerprint)
    }
  }

  @Test func existingFolderIsReplacedOnlyOnRequest() throws {
    try withTemporaryFolder { folder in
      let first = try write(folder + "/out", "one")
      #expect(errorMessage { _ = try AtomicFolder(folder + "/out") } == "\(folder)/out: already exists; remove it or choose another path")
      let second = try write(folder + "/out", "two", replacing: true)
      #expect(second != first)
      #expect(try Manifest.read(folder: folder + "/out") == second)
      #expect(try Files.entries(of: folder) == ["out"])
      try Files.createFolder(folder + "/foreign")
      try Files.write([], to: folder + "/foreign/precious")
      #expect(errorMessage { _ = try AtomicFolder(folder + "/foreign", replacing: true) }.contains("was not written by weir"))
      try Files.createFolder(folder + "/empty")
      _ = try write(folder + "/empty", "three")
    }
  }

  @Test func withoutCommitNothingRemains() throws {
    try withTemporaryFolder { folder in
      do {
        let out = try AtomicFolder(folder + "/out")
        try Files.write([1], to: out.working + "/a")
        #expect(errorMessage { _ = try AtomicFolder(folder + "/out") }.contains("would be written twice by this command"))
      }
      #expect(try Files.entries(of: folder).isEmpty)
    }
  }

  @Test func partialFolderOfAKilledRunIsRemoved() throws {
    try withTemporaryFolder { folder in
      try Files.createFolder(folder + "/out.partial/deep")
      try Files.write([1], to: folder + "/out.partial/stale")
      let manifest = try write(folder + "/out", "x")
      #expect(manifest.files.map(\.name) == ["a", "deep/b"])
      #expect(try Files.entries(of: folder) == ["out"])
    }
  }

  @Test func everyFlippedBitIsDetected() throws {
    try withTemporaryFolder { folder in
      let manifest = try write(folder + "/out", "some text")
      for file in manifest.files {
        let path = folder + "/out/" + file.name
        let bytes = try Files.read(path)
        for bit in 0..<8 * bytes.count {
          var damaged = bytes
          damaged[bit / 8] ^= 1 << UInt8(bit % 8)
          try Data(damaged).write(to: URL(fileURLWithPath: path))
          #expect(try manifest.verifyFiles(in: folder + "/out").count == 1)
        }
        try Data(bytes.dropLast()).write(to: URL(fileURLWithPath: path))
        #expect(try manifest.verifyFiles(in: folder + "/out").first?.contains("bytes, the manifest says") == true)
        try Files.remove(path)
        #expect(try manifest.verifyFiles(in: folder + "/out") == ["\(path): is missing"])
        try Data(bytes).write(to: URL(fileURLWithPath: path))
      }
    }
  }

  @Test func invalidManifestIsAnErrorWithItsPath() throws {
    try withTemporaryFolder { folder in
      #expect(errorMessage { _ = try Manifest.read(folder: folder + "/none") }.contains("no such file or folder"))
      #expect(errorMessage { _ = try Manifest.read(folder: folder) }.contains("has no manifest.json"))
      _ = try write(folder + "/out", "x")
      let path = folder + "/out/manifest.json"
      let bytes = try Files.read(path)
      for count in 0..<bytes.count - 2 {
        try Data(bytes[..<count]).write(to: URL(fileURLWithPath: path))
        #expect(errorMessage { _ = try Manifest.read(folder: folder + "/out") }.hasPrefix(path + ": "))
      }
      // Without a seal, as earlier versions wrote it.
      let text = String(decoding: bytes, as: UTF8.self).replacingOccurrences(of: "manifest_xxh3", with: "seal")
      try Data(text.replacingOccurrences(of: "\"deep/b\"", with: "\"../b\"").utf8).write(to: URL(fileURLWithPath: path))
      #expect(errorMessage { _ = try Manifest.read(folder: folder + "/out") }.contains("lists an invalid file"))
      try Data(text.replacingOccurrences(of: "\"counts\"", with: "\"count\"").utf8).write(to: URL(fileURLWithPath: path))
      #expect(errorMessage { _ = try Manifest.read(folder: folder + "/out") }.contains("\"counts\" is missing"))
    }
  }

  @Test func jsonValuesKeepTheirTypes() throws {
    let value: JSONValue = ["a": [1, 2.5, true, "x"], "b": ["c": false], "d": 9_007_199_254_740_991]
    let bytes = try JSONFile.encode(value)
    #expect(String(decoding: bytes, as: UTF8.self) == #"{"a":[1,2.5,true,"x"],"b":{"c":false},"d":9007199254740991}"#)
    #expect(try JSONFile.decode(JSONValue.self, from: bytes, place: "x") == value)
    #expect(value["b"]?["c"] == .bool(false))
  }
}
