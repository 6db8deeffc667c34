import Artifacts
import Documents
import Foundation
import Inspection
import Pipeline
import Primitives
import Storage
import TestSupport
import Testing
import Tokens
import Workflows

@Test func aDatasetWithAllThatIsInItIsFine() throws {
  try withTemporaryFolder { folder in
    let set = folder + "/set"
    try writeDataset(set, seed: 1)
    try writeTensors(
      set + "/vectors/lsi", format: "weir.example-vectors.1", name: "vectors", shape: [12, 2], floats: [Float](repeating: 1, count: 24))
    let report = try Verification.check(set + "/", registry: .all)
    #expect(report.problems == [] && report.notes == [])
    #expect(report.kind == "token dataset" && report.path == set)
    let files = try Files.walk(set)
    #expect(report.files == files.count)
    #expect(try report.bytes == files.reduce(0) { try $0 + Files.size(set + "/" + $1) })
    try Files.write([1], to: set + "/extra")
    try Files.write([1], to: set + "/shard-00009.bin.partial")
    let noted = try Verification.check(set, registry: .all)
    #expect(noted.problems == [] && noted.notes.count == 2 && noted.notes[0].contains("extra"))
  }
}

/// Any flipped bit of any file, the manifests among them, is a problem that names the file.
@Test(arguments: [1, 2, 3] as [UInt64])
func aFlippedBitIsFound(seed: UInt64) throws {
  try withTemporaryFolder { folder in
    let set = folder + "/set"
    try writeDataset(set, seed: seed)
    try writeTensors(
      set + "/vectors/lsi", format: "weir.example-vectors.1", name: "vectors", shape: [4, 2], floats: [Float](repeating: 1, count: 8))
    var generator = SequentialRandom(seed: seed)
    for name in try Files.walk(set) {
      let path = set + "/" + name
      let bits = try Files.size(path) * 8
      for _ in 0..<8 {
        let bit = Int.random(in: 0..<bits, using: &generator)
        try withFlippedBit(path, bit: bit) {
          let report = try Verification.check(set, registry: .all)
          #expect(!report.problems.isEmpty, "bit \(bit) of \(name)")
        }
      }
    }
    #expect(try Verification.check(set, registry: .all).problems == [])
  }
}

/// Every bit of a manifest counts.
@Test func everyBitOfAManifestIsSealed() throws {
  try withTemporaryFolder { folder in
    try writeTensors(folder + "/v", format: "weir.example.1", name: "v", shape: [1], floats: [1])
    let text = try Files.read(folder + "/v/manifest.json")
    #expect(Manifest.sealProblem(of: text) == nil)
    for bit in 0..<text.count * 8 {
      var damaged = text
      damaged[bit / 8] ^= 1 << UInt8(bit % 8)
      #expect(Manifest.sealProblem(of: damaged) != nil, "bit \(bit)")
    }
    for count in 0..<text.count { #expect(Manifest.sealProblem(of: Array(text[..<count])) != nil) }
    // What is written is read again, whatever the strings in it.
    let odd = Manifest(
      format: "weir.odd.1", tool: "\"manifest_xxh3\": \"0123456789abcdef\"", inputs: ["manifest_xxh3": "0123456789abcdef"],
      configuration: ["manifest_xxh3": "0123456789abcdef"], counts: [:], files: [])
    try odd.write(folder: folder)
    #expect(Manifest.sealProblem(of: try Files.read(folder + "/manifest.json")) == nil)
    #expect(try Manifest.read(folder: folder) == odd)
  }
}

/// Rules of the format are checked even where the checksums agree with the damage.
@Test func aDatasetThatWasSealedWrongIsFound() throws {
  try withTemporaryFolder { folder in
    let set = folder + "/set"
    try writeDataset(set, seed: 5, shardTokens: 1 << 20)
    /// Changes a file and makes the manifest agree with it.
    func problems(_ name: String, _ change: (inout [UInt8]) -> Void) throws -> [String] {
      let (whole, sealed) = (try Files.read(set + "/" + name), try Manifest.read(folder: set))
      var bytes = whole
      change(&bytes)
      try Files.write(bytes, to: set + "/" + name)
      var manifest = sealed
      manifest.files = manifest.files.map {
        $0.name == name ? FileRecord(name: name, bytes: bytes.count, xxh3: Checksum.hex(Checksum.xxh3(bytes))) : $0
      }
      try manifest.write(folder: set)
      defer {
        try? Files.write(whole, to: set + "/" + name)
        try? sealed.write(folder: set)
      }
      return try Verification.check(set, registry: .all).problems
    }
    let outside = try problems("shard-00000.bin") { $0[1] = 0xFF }
    #expect(outside.count == 1 && outside[0].contains("shard-00000.bin@0: token ") && outside[0].contains("outside the vocabulary of 300"))
    let end = try problems("shard-00000.bin") { $0[$0.count - 2] = 7 }
    #expect(end.count == 1 && end[0].contains("document 11 ends with token 7"))
    let short = try problems("shard-00000.docs.jsonl") { $0.removeSubrange(($0.firstIndex(of: 10) ?? 0)...) }
    #expect(short.contains { $0.contains("has 1 lines for 12 documents") })
    let index = try problems("shard-00000.idx") { $0[34] ^= 1 }
    #expect(index.contains { $0.contains("shard-00000.idx@") })
    let tokenizer = try problems("tokenizer/tokenizer.json") { $0 = Array("{}".utf8) }
    #expect(tokenizer.contains { $0.contains("no model.vocab") })
    var manifest = try Manifest.read(folder: set)
    manifest.counts["tokens"] = 1
    manifest.counts["bytes"] = nil
    try manifest.write(folder: set)
    #expect(try Verification.check(set, registry: .all).problems.count == 2)
    manifest.counts["shards"] = .max
    try manifest.write(folder: set)
    #expect(try Verification.check(set, registry: .all).problems.count == 1)
  }
}

@Test func missingFilesAreProblems() throws {
  try withTemporaryFolder { folder in
    try writeDataset(folder + "/set", seed: 6)
    for name in try Files.walk(folder + "/set") where name != "manifest.json" {
      let bytes = try Files.read(folder + "/set/" + name)
      try Files.remove(folder + "/set/" + name)
      #expect(try Verification.check(folder + "/set", registry: .all).problems.contains { $0.contains(name) && $0.contains("missing") })
      try Files.write(bytes, to: folder + "/set/" + name)
    }
    // Without its manifest a folder is checked as far as that goes, and says so.
    try Files.remove(folder + "/set/manifest.json")
    #expect(try Verification.check(folder + "/set", registry: .all).kind == "folder")
  }
}

@Test func linksOfFoldersAreFollowedOnce() throws {
  try withTemporaryFolder { folder in
    try Files.createFolder(folder + "/a")
    try Files.write(Array("{\"text\": \"x\"}\n".utf8), to: folder + "/a/x.jsonl")
    for name in ["1", "2", "3"] { #expect(symlink(".", folder + "/" + name) == 0 && symlink("..", folder + "/a/" + name) == 0) }
    #expect(try Verification.check(folder, registry: .all).files == 1)
    #expect(try Fingerprint.of(folder, registry: .all) != nil && Fingerprint.bytes(folder) == 14)
  }
}

@Test func anotherEmbedderThanTheManifestsIsAProblem() throws {
  try withTemporaryFolder { folder in
    try Files.createFolder(folder + "/embedder")
    try Files.write(Array("{\"format\": \"weir.embedder.1\", \"fingerprint\": \"other\"}\n".utf8), to: folder + "/embedder/embedder.json")
    var tree = ClusterTree(
      embedder: "e", dimensions: 2, spherical: true, nodes: [.init(parent: -1, level: 0, firstChild: 0, childCount: 0, leaf: 0)],
      centroids: [0, 1])
    tree.numberLeaves()
    _ = try StoredTree.write(
      tree, to: folder + "/tree", embedder: folder + "/embedder", inputs: ["tokenizer": "t"], configuration: .object([:]), tool: "test")
    let problems = try Verification.check(folder + "/tree", registry: .all).problems
    #expect(problems.contains { $0.contains("embedder.json: has the fingerprint other, the manifest of") }, "\(problems)")
  }
}

@Test func aFinishedRunHasItsModelAndItsSteps() throws {
  try withTemporaryFolder { folder in
    let run = folder + "/run"
    func problems() throws -> [String] { try Verification.check(run, registry: .all).problems }
    try writeRun(run)
    try Files.write(Array("{\"steps\": 2}\n".utf8), to: run + "/report.json")
    #expect(try problems() == [])
    try Files.remove(run + "/checksums.json")
    try Files.write(Array("{\"step\": 2, \"loss\": 5.25}\n".utf8), to: run + "/log.jsonl")
    #expect(try problems() == ["\(run)/log.jsonl: lacks 1 of the first 2 steps"])
    try Files.remove(run + "/log.jsonl")
    #expect(try problems() == ["\(run)/log.jsonl: is missing, but the run has done 2 steps"])
    try writeRun(folder + "/other")
    try Files.move(folder + "/other/log.jsonl", to: run + "/log.jsonl")
    try Files.remove(run + "/model/manifest.json")
    #expect(try problems().contains { $0.contains("model: has no manifest.json") })
    try Files.remove(run + "/model")
    #expect(try problems().contains { $0.contains("model: is missing, but the run has finished") })
    try Files.createFolder(run + "/model")
    #expect(try problems().contains { $0.contains("model: has no manifest.json") })
  }
}

@Test func aRunIsCheckedWithItsModelAndCheckpoints() throws {
  try withTemporaryFolder { folder in
    try writeRun(folder + "/run")
    let report = try Verification.check(folder + "/run", registry: .all)
    #expect(report.problems == [] && report.notes == [] && report.kind == "run" && report.files == 10)
    for name in [
      "model/model.safetensors", "model/config.json", "checkpoints/step-00000002/model.safetensors",
      "checkpoints/step-00000002/manifest.json", "run.json", "log.jsonl", "checksums.json",
    ] {
      let problems = try withFlippedBit(folder + "/run/" + name, bit: 83) {
        try Verification.check(folder + "/run", registry: .all).problems
      }
      #expect(problems.contains { $0.contains(name) }, "\(name)")
    }
    try Files.write(Array("{\"step\": 1}\n{\"st".utf8), to: folder + "/run/log.jsonl")
    #expect(try Verification.check(folder + "/run", registry: .all).problems.contains { $0.contains("log.jsonl:2: is not valid JSON") })
    // So are runs inside another folder.
    try writeRun(folder + "/split/branch-0")
    try Files.write(Array("{}".utf8), to: folder + "/split/split.json")
    for name in ["run.json", "log.jsonl", "checksums.json"] {
      let problems = try withFlippedBit(folder + "/split/branch-0/" + name, bit: 83) {
        try Verification.check(folder + "/split", registry: .all).problems
      }
      #expect(problems.contains { $0.contains("branch-0/" + name) }, "\(name)")
    }
    // A run that goes on is not on the list; that is noted.
    try Files.remove(folder + "/run/checksums.json")
    try Files.write(Array("{\"step\": 1}\n".utf8), to: folder + "/run/log.jsonl")
    let going = try Verification.check(folder + "/run", registry: .all)
    #expect(going.problems == [] && going.notes.count == 1 && going.notes[0].contains("does not cover run.json, log.jsonl"))
  }
}

@Test func singleFilesAreChecked() throws {
  try withTemporaryFolder { folder in
    func problems(_ name: String) throws -> [String] { try Verification.check(folder + "/" + name, registry: .all).problems }
    try JSONFile.write(sampleMixture(), to: folder + "/mixture.json")
    #expect(try Verification.check(folder + "/mixture.json", registry: .all).kind == "mixture")
    #expect(try problems("mixture.json") == [])
    try JSONFile.write(sampleMixture([0.5, 0.4, 0.2]), to: folder + "/mixture.json")
    #expect(try problems("mixture.json").count == 1)
    var wrong = sampleMixture()
    wrong.clusters[1].leaf = 7
    wrong.clusters[2].weight = -0.25
    try JSONFile.write(wrong, to: folder + "/mixture.json")
    #expect(try problems("mixture.json").count == 3)

    try Files.write(Array("\n{\"text\": \"a\"}\n{\"id\": 1}\n[]\n{\n".utf8), to: folder + "/d.jsonl")
    let lines = try problems("d.jsonl")
    #expect(lines.count == 3 && lines[0].hasSuffix("d.jsonl:3: no text") && lines[1].contains(":4: not an object"))
    try Files.write(Array((String(repeating: "{}\n", count: 3) + String(repeating: "x\n", count: 50)).utf8), to: folder + "/e.jsonl")
    #expect(try problems("e.jsonl").count == 21)

    try writeDataset(folder + "/set", seed: 3, shardTokens: 1 << 20)
    #expect(try problems("set/shard-00000.idx") == [] && problems("set/shard-00000.bin") == [])
    try Files.write([1, 2], to: folder + "/set/shard-00000.bin")
    #expect(try problems("set/shard-00000.bin").count == 1)

    _ = try Safetensors.write(folder + "/a.safetensors", floats: [("x", [2], [1, 2])])
    #expect(try problems("a.safetensors") == [])
    try Files.write(Array(try Files.read(folder + "/a.safetensors").dropLast()), to: folder + "/a.safetensors")
    #expect(try problems("a.safetensors").count == 1)
    try Files.write(
      Array(#"{"key": "k", "command": "weir read", "outputs": {}, "accounts": [], "seconds": 1}"#.utf8), to: folder + "/read.json")
    #expect(try Verification.check(folder + "/read.json", registry: .all).kind == "step state")
  }
}

@Test func whatIsNotOursIsSaid() throws {
  try withTemporaryFolder { folder in
    #expect(throws: WeirError.self) { try Verification.check(folder, registry: .all) }
    #expect(throws: WeirError.self) { try Verification.check(folder + "/none", registry: .all) }
    try Files.write(Array("hello".utf8), to: folder + "/notes.txt")
    try Files.write(Array("{\"name\": 1}".utf8), to: folder + "/package.json")
    #expect(throws: WeirError.self) { try Verification.check(folder, registry: .all) }
    #expect(throws: WeirError.self) { try Verification.check(folder + "/package.json", registry: .all) }
    // Within a folder of ours it is only noted.
    try writeDataset(folder + "/set", seed: 1)
    let report = try Verification.check(folder, registry: .all)
    #expect(report.problems == [] && report.notes.count == 2)
  }
}

@Test func aCheckCanBeStopped() throws {
  try withTemporaryFolder { folder in
    try writeDataset(folder + "/set", seed: 1)
    #expect(throws: Stopped.self) {
      try Verification.check(folder + "/set", registry: .all, progress: Progress(report: { _ in }, stopping: { true }))
    }
  }
}

/// Compressed documents: a flipped bit is found by the checksum of the frame or by the end marker behind it, unless the content is the same.
@Test func compressedDocumentsAreChecked() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/d.jsonl.zst"
    for coding in [OutputCoding.zstd(level: 3), .stream(level: 1)] {
      let writer = try StreamWriter(path, kind: .documents, coding: coding)
      for index in 0..<100 { try writer.write(Array("{\"id\": \"\(index)\", \"text\": \"text \(index * index)\"}\n".utf8), records: 1) }
      try writer.finish()
      let clean = try Verification.check(path, registry: .all).problems
      #expect(clean == [])
      let content = try ByteReader(path).readAll()
      let bits = try Files.size(path) * 8
      var generator = SequentialRandom(seed: 8)
      var found = 0
      for _ in 0..<60 {
        let bit = Int.random(in: 0..<bits, using: &generator)
        let (problems, same) = try withFlippedBit(path, bit: bit) {
          (try Verification.check(path, registry: .all).problems, (try? ByteReader(path).readAll()) == content)
        }
        #expect(!problems.isEmpty || same, "bit \(bit) of \(coding)")
        if !problems.isEmpty { found += 1 }
      }
      #expect(found > 30)
      let whole = try Files.read(path)
      try Files.write(Array(whole.prefix(whole.count / 2)), to: path)
      let cut = try Verification.check(path, registry: .all).problems
      #expect(!cut.isEmpty)
    }
  }
}

@Test func tokenStreamsAreCheckedAndShown() throws {
  try withTemporaryFolder { folder in
    let path = folder + "/tokens.zst"
    let writer = try TokenStreamWriter(path: path, header: TokenStreamHeader(tokenizer: "abc", vocabulary: 300, endOfDocument: 2))
    try writer.append([TokenDocument(id: "one", origin: "in:1", bytes: 4, tokens: [7, 8, 9])])
    try writer.finish()
    let clean = try Verification.check(path, registry: .all)
    #expect(clean.problems == [] && clean.kind == "token stream")
    let shown = try Peek.text(path, registry: .all)
    #expect(shown.contains("vocabulary 300, end-of-document token 2") && shown.contains("one") && shown.contains("7 8 9"))
    let whole = try Files.read(path)
    try Files.write(Array(whole.dropLast(3)), to: path)
    let cut = try Verification.check(path, registry: .all).problems
    #expect(cut.count == 1)
  }
}

/// What a step of a recipe made is what it was, wherever the run's folder is now.
@Test func outputsOfStepsAreChecked() throws {
  try withTemporaryFolder { folder in
    let run = folder + "/copied"
    try writeDataset(run + "/set", seed: 9)
    try JSONFile.write(sampleMixture(), to: run + "/crisp.json")
    func fingerprint(_ name: String) throws -> JSONValue { .string(try Checksum.hex(file: run + "/" + name)) }
    func write(output: Int) throws {
      let account: JSONValue = [
        "stage": "read", "input": 3, "output": .number(Double(output)), "dropped": ["short": 1], "quarantined": [:],
      ]
      try Files.createFolder(run + "/steps")
      try JSONFile.write(
        JSONValue.object([
          "key": "k", "command": "sample", "accounts": [account], "seconds": 1, "bytes": 2, "report": .null,
          "outputs": [
            "runs/demo/crisp.json": try fingerprint("crisp.json"), "runs/demo/set": try fingerprint("set/manifest.json"), "gone": "0",
          ],
        ]), to: run + "/steps/sample.json")
    }
    try write(output: 2)
    let report = try Verification.check(run, registry: .all)
    #expect(report.problems == [] && report.kind == "recipe run")
    #expect(report.notes.count == 2 && report.notes.contains { $0.contains("gone") })
    var generator = SequentialRandom(seed: 1)
    let bits = try Files.size(run + "/crisp.json") * 8
    for _ in 0..<20 {
      let bit = Int.random(in: 0..<bits, using: &generator)
      let problems = try withFlippedBit(run + "/crisp.json", bit: bit) { try Verification.check(run, registry: .all).problems }
      #expect(problems.contains { $0.contains("crisp.json") }, "bit \(bit)")
    }
    // A file that was written again later is on the list of the run.
    let summary = RecipeFolder(run)
    try summary.sealing(run + "/crisp.json") { try JSONFile.write(sampleMixture([0.25, 0.5, 0.25]), to: run + "/crisp.json") }
    try summary.sealing(run + "/steps/sample.json") {}
    let again = try Verification.check(run, registry: .all)
    #expect(again.problems == [] && again.notes.contains { $0.contains("written again") })
    for name in ["crisp.json", "steps/sample.json"] {
      let problems = try withFlippedBit(run + "/" + name, bit: 300) { try Verification.check(run, registry: .all).problems }
      #expect(problems.contains { $0.contains(name) })
    }
    try write(output: 3)
    try summary.sealing(run + "/steps/sample.json") {}
    let unbalanced = try Verification.check(run, registry: .all).problems
    #expect(unbalanced.count == 1 && unbalanced[0].contains("does not balance"))
  }
}
