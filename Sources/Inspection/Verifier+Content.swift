import Artifacts
import Documents
import Export
import Pipeline
import Primitives
import Storage
import Tokens

extension Verifier {
  /// What the format of a folder promises, beyond the checksums.
  func checkContent(_ manifest: Manifest, in folder: String) throws {
    try attempt {
      switch manifest.format {
      case TokenDataset.format: try checkDataset(manifest, in: folder)
      case WindowVectors.format: _ = try WindowVectors(folder)
      case ClusterAssignment.format: _ = try ClusterAssignment(folder: folder)
      case StoredTree.format: _ = try StoredTree(folder)
      default: break
      }
    }
    for file in manifest.files {
      let path = folder + "/" + file.name
      // The dataset's own check has read these with more care.
      if manifest.format == TokenDataset.format, !file.name.contains("/") { continue }
      guard Files.exists(path), !Files.isFolder(path), !file.name.hasSuffix(Manifest.fileName) else { continue }
      try attempt { if let kind = try FileKind.of(path) { try checkFile(path, kind) } }
    }
  }

  /// What the format of a single file promises.
  func checkFile(_ path: String, _ kind: FileKind) throws {
    try count(path)
    try attempt {
      switch kind {
      case .safetensors: _ = try SafetensorsFile(path)
      case .index: try checkIndex(path, tokens: String(path.dropLast(4)) + ".bin")
      case .tokens: try checkIndex(String(path.dropLast(4)) + ".idx", tokens: path)
      case .llmTokens: _ = try LLMTokens.shape(try MappedFile(path))
      case .numpy: _ = try NumPyArray.shape(try MappedFile(path))
      case .mds: _ = try MDSShard(try MappedFile(path))
      case .jsonLines: try checkLines(path)
      case .tokenStream: try checkTokenStream(path)
      case .compressed: try LineReader.readThrough(path) { try progress.checkStop() }
      case .json(let name): try checkJSON(path, name)
      }
    }
  }

  /// Every record is whole with ids below the vocabulary, and the proof fits.
  private func checkTokenStream(_ path: String) throws {
    let reader = try TokenStreamReader(path: path)
    while try reader.next() != nil { try progress.checkStop() }
  }

  private func checkIndex(_ index: String, tokens: String) throws {
    guard index.hasSuffix(".idx") else { throw WeirError(index, "is a Megatron index without the ending .idx", remedy: "rename it") }
    try count(index)
    try count(tokens)
    _ = try MegatronIndex(try MappedFile(index), dataBytes: try MappedFile(tokens).count)
  }

  private func checkJSON(_ path: String, _ name: String) throws {
    let root = try JSONDocument(Files.read(path), place: path).root
    guard root.isObject else { throw WeirError(path, "is no JSON object") }
    switch name {
    case "mixture": try checkMixture(path)
    case "step state": try checkStep(path)
    case "tokenizer":
      guard root["model"]?["vocab"]?.isObject == true else { throw WeirError(path, "has no model.vocab") }
      guard root["model"]?["merges"]?.isArray == true else { throw WeirError(path, "has no model.merges") }
    default: break
    }
  }

  /// A mixture's clusters are numbered, and its weights are a distribution.
  private func checkMixture(_ path: String) throws {
    let mixture = try JSONFile.read(Mixture.self, from: path)
    func wrong(_ reason: String) { problem("\(path): \(reason)") }
    if mixture.format != "weir.mixture.1" { wrong("its format is \(mixture.format), not weir.mixture.1") }
    if mixture.clusters.isEmpty { wrong("it has no clusters") }
    var listed = 0
    for (index, cluster) in mixture.clusters.enumerated() {
      let numbers = [cluster.weight, cluster.general, cluster.seed, cluster.epochs]
      guard cluster.leaf != index || !numbers.allSatisfy({ $0 >= 0 && $0.isFinite }) || cluster.windows < 0 || cluster.tokens < 0 else {
        continue
      }
      listed += 1
      if listed <= Self.problemLimit { wrong("cluster \(index) has another number, or a share or count below 0") }
    }
    if listed > Self.problemLimit { wrong("and \(listed - Self.problemLimit) more clusters like that") }
    for (name, sum) in [
      ("weights", mixture.clusters.reduce(0) { $0 + $1.weight }), ("general shares", mixture.clusters.reduce(0) { $0 + $1.general }),
    ]
    where !((sum - 1).magnitude < 1e-6) && !mixture.clusters.isEmpty {
      wrong("its \(name) sum to \(sum), not to 1")
    }
  }
}
