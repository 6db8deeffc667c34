import Foundation
import Kernels
import Primitives
import Storage

extension ModelFolder {
  /// Tokenizer files that are copied into a model folder if they exist.
  private static let tokenizerFiles = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]

  private struct Generation: Codable {
    var bos_token_id: Int?
    var eos_token_id: Int?
    var do_sample = true
  }

  /// Writes the files of a model into an existing folder; the caller makes the write atomic.
  /// - Parameters:
  ///   - adapter: merged into the matrices that are written.
  ///   - origin: the model folder that training started from; everything but its weights is carried over.
  ///   - tokenizer: a folder with tokenizer files, for those that the origin lacks.
  ///   - endOfDocument: the end-of-document token of a model without origin.
  static func writeFiles(
    _ folder: String, configuration c: ModelConfiguration, parameters: FloatBuffer, adapter: LowRankAdapter? = nil,
    origin: String? = nil, tokenizer: String?, endOfDocument: Int?
  ) throws {
    let layout = ParameterLayout(c)
    let writer = try SafetensorsWriter(
      folder + "/model.safetensors", layout: layout.tensors.map { ($0.name, .F32, $0.shape) }, metadata: ["format": "pt"])
    if let adapter {
      try adapter.forEachMerged(layout, parameters) { try writer.append($1) }
    } else {
      for tensor in layout.tensors {
        try writer.append(UnsafeBufferPointer(start: parameters.base + tensor.range.lowerBound, count: tensor.range.count))
      }
    }
    _ = try writer.commit()
    if let origin {
      try carryOver(origin, to: folder)
    } else {
      try JSONFile.write(config(c, endOfDocument: endOfDocument), to: configurationPath(folder))
      try JSONFile.write(Generation(bos_token_id: endOfDocument, eos_token_id: endOfDocument), to: folder + "/" + generationFile)
    }
    guard let tokenizer else { return }
    for name in tokenizerFiles where Files.exists(tokenizer + "/" + name) && !Files.exists(folder + "/" + name) {
      try Files.write(try Files.readWhole(tokenizer + "/" + name), to: folder + "/" + name)
    }
    try writeTokenizerSettings(folder, endOfDocument: endOfDocument)
  }

  /// The configuration of a new model.
  private static func config(_ c: ModelConfiguration, endOfDocument: Int?) -> Config {
    let end = endOfDocument.map { JSONValue.number(Double($0)) }
    var config = Config(
      vocab_size: c.vocabulary, hidden_size: c.width, num_hidden_layers: c.layers, num_attention_heads: c.heads,
      num_key_value_heads: c.kvHeads, head_dim: c.headWidth, intermediate_size: c.ffn, max_position_embeddings: c.sequence,
      rope_theta: c.ropeTheta, rms_norm_eps: c.normEpsilon, tie_word_embeddings: c.tiedEmbeddings, bos_token_id: end, eos_token_id: end)
    let type = c.qkNorm ? "qwen3" : c.biases == .qkv ? "qwen2" : "llama"
    if type != "llama" {
      config.architectures = modelClass(type).map { [$0] }
      config.model_type = type
      config.use_sliding_window = false
    }
    if c.biases == .all { config.attention_bias = true }
    config.rope_scaling = c.ropeScaling.map { .object($0.members) }
    return config
  }

  /// Copies everything of a model folder that training does not change. In the configuration, the type of the weights is that of the ones
  /// written, and the class is that of a whole model; all else keeps its bytes.
  static func carryOver(_ origin: String, to folder: String) throws {
    let path = configurationPath(origin), text = try Files.readWhole(path)
    guard case .object(let members) = try JSONFile.decode(JSONValue.self, from: text, place: path) else {
      throw WeirError(path, "is not an object")
    }
    var changes: [String: JSONValue] = [:]
    for name in ["dtype", "torch_dtype"] where members[name]?.string != nil { changes[name] = "float32" }
    if members["architectures"] != nil, let type = members["model_type"]?.string, let name = modelClass(type) {
      changes["architectures"] = [.string(name)]
    }
    changes = changes.filter { members[$0.key] != $0.value }
    try Files.write(try JSONMembers.replacing(changes, in: text), to: configurationPath(folder))
    let templates = "additional_chat_templates"
    var names = try Files.entries(of: origin).filter { !Files.isFolder(origin + "/" + $0) }
    if Files.isFolder(origin + "/" + templates) {
      try Files.createFolder(folder + "/" + templates)
      names += try Files.entries(of: origin + "/" + templates).map { templates + "/" + $0 }
    }
    for name in names where !name.hasPrefix(".") && !isWeights(name) && !replacedFiles.contains(name) {
      try Files.write(try Files.readWhole(origin + "/" + name), to: folder + "/" + name)
    }
  }

  /// Files that do not belong to the new weights: the configuration is written apart, an adapter is not merged into them, and the checksums and
  /// the state of a run are those of the folder that is read.
  private static let replacedFiles: Set = [
    "config.json", "adapter_config.json", "state.json", Manifest.fileName, ChecksumList.fileName,
  ]

  /// Writes `tokenizer_config.json` if there is none: without it, transformers uses its class for the first Llama tokenizer, which splits
  /// text differently.
  private static func writeTokenizerSettings(_ folder: String, endOfDocument: Int?) throws {
    let path = folder + "/tokenizer_config.json"
    guard Files.exists(folder + "/tokenizer.json"), !Files.exists(path) else { return }
    struct Added: Codable {
      struct Token: Codable { var id: Int, content: String }
      var added_tokens: [Token]?
    }
    let added = try JSONFile.read(Added.self, from: folder + "/tokenizer.json").added_tokens ?? []
    var members: [String: JSONValue] = ["tokenizer_class": "PreTrainedTokenizerFast", "clean_up_tokenization_spaces": false]
    if let end = added.first(where: { $0.id == endOfDocument }) {
      members["eos_token"] = .string(end.content)
      members["bos_token"] = .string(end.content)
    }
    try JSONFile.write(JSONValue.object(members), to: path)
  }

  /// Writes a model folder atomically.
  /// - Parameters:
  ///   - folder: replaced if it is a Weir folder.
  ///   - adapter: merged into the matrices that are written.
  ///   - origin: the model folder that training started from; everything but its weights is carried over.
  ///   - tokenizer: a folder with tokenizer files to copy.
  ///   - inputs: fingerprints of the inputs, for the manifest.
  ///   - counts: steps and tokens, for the manifest.
  @discardableResult
  package static func write(
    _ folder: String, configuration: ModelConfiguration, parameters: FloatBuffer, adapter: LowRankAdapter? = nil, origin: String? = nil,
    tokenizer: String?, endOfDocument: Int? = nil, inputs: [String: String] = [:], counts: [String: Int] = [:]
  ) throws -> Manifest {
    let output = try AtomicFolder(folder, replacing: true)
    try writeFiles(
      output.working, configuration: configuration, parameters: parameters, adapter: adapter, origin: origin, tokenizer: tokenizer,
      endOfDocument: endOfDocument)
    return try output.commit(
      format: format, tool: Tool.name, inputs: inputs, configuration: JSONValue(encoding: configuration),
      counts: counts.merging(["parameters": configuration.parameters]) { $1 })
  }
}
