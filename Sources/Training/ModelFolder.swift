import Foundation
import Primitives
import Storage

/// A Llama model folder of the Hugging Face kind (a Qwen 3 one where queries and keys are normalised): `config.json`, `model.safetensors`, `generation_config.json`, the tokenizer's files.
public enum ModelFolder {
  /// The manifest's format.
  public static let format = "weir.model.1"
  /// The tokenizer's files that are copied along where they are there.
  static let tokenizerFiles = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]

  private struct Config: Codable {
    struct Rope: Codable {
      var rope_theta: Double?
      var rope_type: String?
      var type: String?
    }
    var architectures: [String]? = ["LlamaForCausalLM"]
    var model_type: String? = "llama"
    var hidden_act: String? = "silu"
    var vocab_size: Int
    var hidden_size: Int
    var num_hidden_layers: Int
    var num_attention_heads: Int
    var num_key_value_heads: Int?
    var head_dim: Int?
    var intermediate_size: Int
    var max_position_embeddings: Int?
    var rope_theta: Double?
    var rope_scaling: Rope?
    var rope_parameters: Rope?
    var rms_norm_eps: Double?
    var tie_word_embeddings: Bool?
    var attention_bias: Bool? = false
    var mlp_bias: Bool? = false
    var use_sliding_window: Bool?
    var attention_dropout: Double? = 0
    var initializer_range: Double? = 0.02
    var use_cache: Bool? = true
    var bos_token_id: JSONValue?
    var eos_token_id: JSONValue?
    var torch_dtype: String? = "float32"
  }

  private struct Generation: Codable {
    var bos_token_id: Int?
    var eos_token_id: Int?
    var do_sample = true
  }

  /// The shape of the model in a folder.
  /// - Throws: `WeirError` where it is no Llama model that this trainer computes exactly.
  public static func configuration(_ folder: String) throws -> ModelConfiguration {
    let path = folder + "/config.json"
    let config = try JSONFile.read(Config.self, from: path)
    func refuse(_ reason: String) -> WeirError { WeirError(path, reason, remedy: "only plain Llama and Qwen 3 models are read") }
    guard let type = config.model_type, ["llama", "qwen3"].contains(type) else {
      throw refuse("model_type is \(config.model_type ?? "absent"), not llama or qwen3")
    }
    guard config.use_sliding_window != true else { throw refuse("the model attends through a sliding window") }
    guard config.hidden_act ?? "silu" == "silu" else { throw refuse("hidden_act is \(config.hidden_act ?? ""), not silu") }
    guard config.attention_bias != true, config.mlp_bias != true else { throw refuse("the model has biases") }
    for rope in [config.rope_scaling, config.rope_parameters] {
      let type = rope?.rope_type ?? rope?.type ?? "default"
      guard type == "default" else { throw refuse("rotary scaling of type \(type) is not supported") }
    }
    guard config.num_attention_heads > 0 else { throw refuse("num_attention_heads is \(config.num_attention_heads)") }
    let model = ModelConfiguration(
      vocabulary: config.vocab_size, width: config.hidden_size, layers: config.num_hidden_layers, heads: config.num_attention_heads,
      kvHeads: config.num_key_value_heads, headWidth: config.head_dim, ffn: config.intermediate_size,
      sequence: config.max_position_embeddings ?? 2_048, ropeTheta: config.rope_parameters?.rope_theta ?? config.rope_theta ?? 10_000,
      normEpsilon: config.rms_norm_eps ?? 1e-6, tiedEmbeddings: config.tie_word_embeddings ?? false,
      qkNorm: type == "qwen3")
    try model.validate(place: path)
    return model
  }

  /// The end-of-document token named in the folder; nil where there is none.
  public static func endOfDocument(_ folder: String) -> Int? {
    (try? JSONFile.read(Config.self, from: folder + "/config.json"))?.eos_token_id?.number.flatMap(Int.init(exactly:))
  }

  /// The weights of a folder, opened, every tensor of `configuration` there in its shape; nothing large is allocated before.
  private static func open(_ folder: String, _ configuration: ModelConfiguration) throws -> [(ParameterLayout.Tensor, SafetensorsFile)] {
    struct Index: Codable { var weight_map: [String: String] }
    let index = folder + "/model.safetensors.index.json", single = folder + "/model.safetensors"
    let places = Files.exists(single) ? [:] : Files.exists(index) ? try JSONFile.read(Index.self, from: index).weight_map : [:]
    var files: [String: SafetensorsFile] = [:]
    return try ParameterLayout(configuration).tensors.map { tensor in
      let path = places[tensor.name].map { folder + "/" + $0 } ?? single
      let file = try files[path] ?? SafetensorsFile(path)
      files[path] = file
      guard let shape = file.shape(tensor.name) else { throw WeirError(path, "has no tensor \"\(tensor.name)\"") }
      guard shape == tensor.shape else {
        throw WeirError(path, "tensor \"\(tensor.name)\" is \(shape), not \(tensor.shape) as config.json says")
      }
      return (tensor, file)
    }
  }

  /// Throws where the weights of a folder are not those of `configuration`.
  static func check(_ folder: String, configuration: ModelConfiguration) throws { _ = try open(folder, configuration) }

  /// Reads the weights (F32, F16 or BF16, one file or several with an index) into a block laid out for `configuration`.
  public static func readWeights(_ folder: String, configuration: ModelConfiguration, into parameters: FloatBuffer) throws {
    for (tensor, file) in try open(folder, configuration) {
      try file.withFloats(tensor.name) { parameters.write($0, at: tensor.range.lowerBound) }
      guard parameters.isFinite(tensor.range) else {
        throw WeirError(file.path, "tensor \"\(tensor.name)\" holds values that are no numbers")
      }
    }
  }

  /// Reads a model.
  public static func load(_ folder: String) throws -> (configuration: ModelConfiguration, parameters: FloatBuffer) {
    let configuration = try configuration(folder)
    try check(folder, configuration: configuration)
    let parameters = FloatBuffer(ParameterLayout(configuration).count)
    try readWeights(folder, configuration: configuration, into: parameters)
    return (configuration, parameters)
  }

  /// Writes the files of a model into an existing folder; the caller makes it atomic.
  static func writeFiles(
    _ folder: String, configuration c: ModelConfiguration, parameters: FloatBuffer, tokenizer: String?, endOfDocument: Int?
  ) throws {
    let layout = ParameterLayout(c)
    let writer = try SafetensorsWriter(
      folder + "/model.safetensors", layout: layout.tensors.map { ($0.name, .F32, $0.shape) }, metadata: ["format": "pt"])
    for tensor in layout.tensors {
      try writer.append(UnsafeBufferPointer(start: parameters.base + tensor.range.lowerBound, count: tensor.range.count))
    }
    _ = try writer.commit()
    let end = endOfDocument.map { JSONValue.number(Double($0)) }
    var config = Config(
      vocab_size: c.vocabulary, hidden_size: c.width, num_hidden_layers: c.layers, num_attention_heads: c.heads,
      num_key_value_heads: c.kvHeads, head_dim: c.headWidth, intermediate_size: c.ffn, max_position_embeddings: c.sequence,
      rope_theta: c.ropeTheta, rms_norm_eps: c.normEpsilon, tie_word_embeddings: c.tiedEmbeddings, bos_token_id: end, eos_token_id: end)
    if c.qkNorm {
      config.architectures = ["Qwen3ForCausalLM"]
      config.model_type = "qwen3"
      config.use_sliding_window = false
    }
    try JSONFile.write(config, to: folder + "/config.json")
    try JSONFile.write(Generation(bos_token_id: endOfDocument, eos_token_id: endOfDocument), to: folder + "/generation_config.json")
    guard let tokenizer else { return }
    for name in tokenizerFiles where Files.exists(tokenizer + "/" + name) {
      try Files.write(try Files.read(tokenizer + "/" + name), to: folder + "/" + name)
    }
  }

  /// Writes a model folder, whole or not at all.
  /// - Parameters:
  ///   - folder: the folder; replaced if it is a model of ours.
  ///   - configuration: the shape.
  ///   - parameters: the weights.
  ///   - tokenizer: the folder of the tokenizer whose files are copied.
  ///   - endOfDocument: the id that ends a document.
  ///   - inputs: fingerprints of what it was made from.
  ///   - counts: such as steps and tokens.
  @discardableResult
  public static func write(
    _ folder: String, configuration: ModelConfiguration, parameters: FloatBuffer, tokenizer: String?, endOfDocument: Int? = nil,
    inputs: [String: String] = [:], counts: [String: Int] = [:]
  ) throws -> Manifest {
    let output = try AtomicFolder(folder, replacing: true)
    try writeFiles(
      output.working, configuration: configuration, parameters: parameters, tokenizer: tokenizer, endOfDocument: endOfDocument)
    return try output.commit(
      format: format, tool: "weir", inputs: inputs, configuration: JSONValue(encoding: configuration),
      counts: counts.merging(["parameters": configuration.parameters]) { $1 })
  }
}
