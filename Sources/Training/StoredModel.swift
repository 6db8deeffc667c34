import Storage

/// A model folder of any architecture: also those that `ModelFolder` does not read.
package struct StoredModel: Artifact {
  package static let format = ModelFolder.format
  package static let form = ArtifactForm.folder
  package static let configurationFile = "config.json"
  package static let fileKinds = [
    configurationFile: "model configuration", "generation_config.json": "generation configuration",
    "model.safetensors.index.json": "index of weights",
  ]

  package let path: String
  private let configuration: JSONNode

  package static func matches(_ candidate: ArtifactCandidate) -> Bool { candidate.contains(configurationFile) }

  package static func open(_ path: String) throws -> StoredModel {
    let file = path + "/" + configurationFile
    return StoredModel(path: path, configuration: try JSONDocument(Files.readWhole(file), place: file, lenient: true).root)
  }

  /// The configuration and the weights are checked as files.
  package static func verify(_ path: String, _ context: any VerificationContext) throws {}

  package static func describe(_ path: String, lines: Int) throws -> [String]? { try describe(path, as: kind, lines) }

  /// The manifest, if there is one, the shape and the tensors.
  static func describe(_ path: String, as kind: String, _ lines: Int) throws -> [String] {
    let manifest = Files.exists(path + "/" + Manifest.fileName) ? try Manifest.read(folder: path).facts + [""] : []
    let model = try open(path)
    var result = [kind] + manifest + [model.shape]
    for file in try Files.entries(of: path) where file.hasSuffix(SafetensorsFile.fileSuffix) {
      result += ["", file] + (try SafetensorsFile(path + "/" + file).table(lines))
    }
    return result
  }

  private var shape: String {
    func value(_ name: String) -> String { configuration[name]?.summary(40) ?? "?" }
    return "\(value("model_type")): vocabulary \(value("vocab_size")), width \(value("hidden_size")), "
      + "\(value("num_hidden_layers")) layers, \(value("num_attention_heads")) heads (\(value("num_key_value_heads")) key–value), "
      + "feed-forward \(value("intermediate_size")), \(value("max_position_embeddings")) positions, "
      + "embeddings \(configuration["tie_word_embeddings"]?.bool == true ? "tied" : "untied")"
  }
}

/// The folder of a checkpoint: a model folder with the state of the run.
package struct StoredCheckpoint: Artifact {
  package static let format = Checkpoint.format
  package static let form = ArtifactForm.folder
  package static let fileKinds = ["state.json": "checkpoint state"]

  package let model: StoredModel

  package static func open(_ path: String) throws -> StoredCheckpoint { StoredCheckpoint(model: try StoredModel.open(path)) }

  /// The configuration, the weights and the state are checked as files.
  package static func verify(_ path: String, _ context: any VerificationContext) throws {}

  package static func describe(_ path: String, lines: Int) throws -> [String]? { try StoredModel.describe(path, as: kind, lines) }
}
