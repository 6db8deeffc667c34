import Inspection
import Storage
import TestSupport
import Testing
import Tokens
import Workflows

@Test func everyTypeHasAFormatOfItsOwn() {
  let types = ArtifactRegistry.all.types
  #expect(Set(types.map { $0.format }).count == types.count)
  let names = types.flatMap { $0.fileKinds.keys }
  #expect(Set(names).count == names.count)
  for type in types { #expect(!type.kind.isEmpty && !type.kind.contains("weir")) }
}

@Test func theKindOfAFormatIsItsNameWithoutVersion() {
  #expect(ArtifactRegistry.kind(format: "weir.token-dataset.1") == "token dataset")
  #expect(ArtifactRegistry.kind(format: "weir.future") == "future")
  #expect(ArtifactRegistry.kind(format: "other.format.2") == "other.format")
  #expect(ArtifactRegistry.kind(format: "") == "")
}

/// Names decide before the content, so that a damaged file keeps its kind.
@Test func filesAreIdentifiedByNameFormatAndContent() throws {
  try withTemporaryFolder { folder in
    let files: [(name: String, content: String, kind: String?)] = [
      ("tree.json", "{", "cluster tree shape"), ("run.json", #"{"format": "weir.run.1"}"#, "run description"),
      ("a.json", #"{"format": "weir.mixture.2"}"#, "mixture"), ("b.json", #"{"format": "weir.new-thing.1"}"#, "new thing"),
      ("c.json", #"{"model": {"vocab": {}}}"#, "tokenizer"), ("report.json", "{}", "report"),
      ("report.json", #"{"key": "k", "command": "c", "outputs": {}, "accounts": []}"#, "step state"),
      ("report.json", #"{"steps": 1, "flops": 1, "evaluations": []}"#, "training report"),
      ("d.json", #"{"version": 2, "shards": []}"#, "MDS index"), ("e.json", "{}", nil), ("f.bin", "tokens", nil),
      ("f.idx", "", "Megatron index"), ("f.bin", "tokens", "tokens of a Megatron index"),
    ]
    for (name, content, kind) in files {
      try Files.write(Array(content.utf8), to: folder + "/" + name)
      #expect(try ArtifactRegistry.all.identify(folder + "/" + name)?.kind == kind, "\(name): \(content)")
    }
  }
}

@Test func foldersWithoutAManifestAreIdentifiedByTheirFiles() throws {
  try withTemporaryFolder { folder in
    for (file, kind) in [
      ("run.json", "run"), ("split.json", "split"), ("config.json", "model"), ("tokenizer.json", "tokenizer"),
      ("summary.json", "recipe run"),
      ("steps/a.json", "recipe run"),
    ] {
      let path = folder + "/in-" + file.prefix { $0 != "." && $0 != "/" }
      try Files.createFolder(path + "/" + (file.contains("/") ? "steps" : ""))
      try Files.write(Array("{}".utf8), to: path + "/" + file)
      #expect(try ArtifactRegistry.all.identify(path)?.kind == kind)
    }
    #expect(try ArtifactRegistry.all.identify(folder) == nil)
  }
}

/// `verify` and recipes use the same fingerprints, which follow glob patterns, too.
@Test func fingerprintsFollowFilesFoldersManifestsAndPatterns() throws {
  try withTemporaryFolder { folder in
    try Files.write([1], to: folder + "/a.x")
    try Files.write([2], to: folder + "/b.x")
    let a = Checksum.hex(Checksum.xxh3([1])), b = Checksum.hex(Checksum.xxh3([2]))
    #expect(try Fingerprint.of(folder + "/a.x", registry: .all) == a)
    #expect(try Fingerprint.of(folder + "/?.x", registry: .all) == "\(folder)/a.x \(a) \(folder)/b.x \(b)")
    #expect(try Fingerprint.of(folder, registry: .all) == Checksum.hex(Checksum.xxh3(Array("a.x \(a)\nb.x \(b)\n".utf8))))
    #expect(try Fingerprint.of(folder + "/none", registry: .all) == nil && Fingerprint.of(folder + "/*.y", registry: .all) == nil)
    #expect(Fingerprint.exists(folder + "/*.x") && !Fingerprint.exists(folder + "/*.y"))
    #expect(Fingerprint.bytes(folder) == 2)
    let manifest = try writeDataset(folder + "/set", seed: 1)
    #expect(try Fingerprint.of(folder + "/set", registry: .all) == Checksum.hex(file: folder + "/set/" + Manifest.fileName))
    #expect(manifest.format == TokenDataset.format)

    let state = folder + "/state.json.json"
    func verify(_ outputs: [String: String]) throws -> VerifyReport {
      try JSONFile.write(
        JSONValue.object(["key": "k", "command": "c", "outputs": try JSONValue(encoding: outputs), "accounts": .array([])]), to: state)
      return try Verification.check(state, registry: .all)
    }
    #expect(try verify([folder + "/?.x": Fingerprint.of(folder + "/?.x", registry: .all) ?? ""]).problems == [])
    #expect(try verify([folder + "/?.x": "0"]).problems.count == 1)
    #expect(try verify([folder + "/*.y": "0"]).notes.count == 1)
  }
}
