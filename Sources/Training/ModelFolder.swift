import Foundation
import Kernels
import Primitives
import Storage

/// A model folder as Hugging Face transformers writes it: `config.json`, `model.safetensors`, `generation_config.json` and tokenizer files.
/// Without QK-norm the architecture is Llama, with QK-norm Qwen 3.
package enum ModelFolder {
  package static let format = "weir.model.1"
  /// Tokenizer files that are copied into a model folder if they exist.
  static let tokenizerFiles = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]

  struct Config: Codable {
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
    var rope_scaling: JSONValue?
    var rope_parameters: JSONValue?
    var rms_norm_eps: Double?
    var tie_word_embeddings: Bool?
    var quantization_config: JSONValue?
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

  static func configurationPath(_ folder: String) -> String { folder + "/config.json" }

  /// The model folder that `path` refers to: itself, or the final model if it is a run folder.
  package static func locate(_ path: String) throws -> String {
    for candidate in [path, RunFolder(path).model] where Files.exists(configurationPath(candidate)) { return candidate }
    throw WeirError(
      path, Files.exists(path) ? "contains no model (config.json)" : "does not exist", remedy: "give a model folder or a finished run")
  }

  /// The shape of a model.
  /// - Throws: `WeirError` if it is not a model that Weir computes exactly.
  package static func configuration(_ folder: String) throws -> ModelConfiguration {
    let path = configurationPath(folder)
    let config = try JSONFile.read(Config.self, from: path)
    func refuse(_ reason: String) -> WeirError { WeirError(path, reason, remedy: "use a Llama or Qwen 3 model without extensions") }
    guard let type = config.model_type, ["llama", "qwen3"].contains(type) else {
      throw refuse("model_type is \(config.model_type ?? "absent"), not llama or qwen3")
    }
    guard config.use_sliding_window != true else { throw refuse("sliding-window attention is not supported") }
    guard config.hidden_act ?? "silu" == "silu" else { throw refuse("hidden_act is \(config.hidden_act ?? ""), not silu") }
    guard config.attention_bias != true, config.mlp_bias != true else { throw refuse("biases are not supported") }
    let architecture = type == "qwen3" ? "Qwen3ForCausalLM" : "LlamaForCausalLM"
    guard config.architectures?.contains(architecture) != false else {
      throw refuse("architectures is \(config.architectures?.joined(separator: ", ") ?? ""), not \(architecture)")
    }
    guard config.quantization_config ?? .null == .null else { throw refuse("quantized weights are not supported") }
    var theta: Double?
    for (name, rope) in [("rope_scaling", config.rope_scaling), ("rope_parameters", config.rope_parameters)] {
      switch rope {
      case nil, .null: continue
      case .object(let members):
        let type = members["rope_type"]?.string ?? members["type"]?.string ?? "default"
        guard type == "default" else { throw refuse("RoPE scaling of type \(type) is not supported") }
        for (key, value) in members.sorted(by: { $0.key < $1.key }) where !["rope_type", "type", "rope_theta"].contains(key) {
          guard value == .null || value == 1 else { throw refuse("\(name).\(key) is not supported") }
        }
        if let value = members["rope_theta"] {
          guard let number = value.number else { throw refuse("\(name).rope_theta is not a number") }
          theta = number
        }
      default: throw refuse("\(name) is not an object")
      }
    }
    guard config.num_attention_heads > 0 else { throw refuse("num_attention_heads is \(config.num_attention_heads)") }
    guard config.head_dim != nil || config.hidden_size % config.num_attention_heads == 0 else {
      throw refuse("hidden_size \(config.hidden_size) is not a multiple of num_attention_heads \(config.num_attention_heads)")
    }
    guard config.num_key_value_heads ?? 1 > 0 else { throw refuse("num_key_value_heads is \(config.num_key_value_heads ?? 0)") }
    let model = ModelConfiguration(
      vocabulary: config.vocab_size, width: config.hidden_size, layers: config.num_hidden_layers, heads: config.num_attention_heads,
      kvHeads: config.num_key_value_heads, headWidth: config.head_dim, ffn: config.intermediate_size,
      sequence: config.max_position_embeddings ?? 2_048, ropeTheta: theta ?? config.rope_theta ?? 10_000,
      normEpsilon: config.rms_norm_eps ?? 1e-6, tiedEmbeddings: config.tie_word_embeddings ?? false, qkNorm: type == "qwen3")
    try model.validate(place: path)
    return model
  }

  /// The end-of-document token in `config.json`, the first if there are several.
  package static func endOfDocument(_ folder: String) -> Int? {
    (try? JSONFile.read(Config.self, from: configurationPath(folder)))?.eos_token_id.map(ids)?.first
  }

  /// The beginning-of-text token in `config.json`.
  package static func beginning(_ folder: String) -> Int? {
    (try? JSONFile.read(Config.self, from: configurationPath(folder)))?.bos_token_id.map(ids)?.first
  }

  /// All tokens that end a text, from `generation_config.json` or else from `config.json`.
  package static func endings(_ folder: String) -> Set<Int> {
    struct Endings: Codable { var eos_token_id: JSONValue? }
    for name in ["generation_config.json", "config.json"] {
      if let value = (try? JSONFile.read(Endings.self, from: folder + "/" + name))?.eos_token_id { return Set(ids(value)) }
    }
    return []
  }

  /// Parses one id or a list of ids.
  private static func ids(_ value: JSONValue) -> [Int] {
    if case .array(let values) = value { return values.compactMap { $0.number.flatMap(Int.init(exactly:)) } }
    return value.number.flatMap(Int.init(exactly:)).map { [$0] } ?? []
  }

  /// The files with the weights: a single one, or an index and the shard of each tensor.
  private static func places(_ folder: String) throws -> (single: String, index: String?, shards: [String: String]) {
    struct Index: Codable { var weight_map: [String: String] }
    let index = folder + "/model.safetensors.index.json", single = folder + "/model.safetensors"
    if Files.exists(single) { return (single, nil, [:]) }
    guard Files.exists(index) else {
      throw WeirError(single, "does not exist, and neither does an index of shards", remedy: "save the model as safetensors")
    }
    let map = try JSONFile.read(Index.self, from: index).weight_map
    for name in map.values where name.isEmpty || name.contains("/") || name.hasPrefix(".") {
      throw WeirError(index, "\"\(name)\" is not a file name")
    }
    return (single, index, map)
  }

  /// A checksum of the weights.
  package static func fingerprint(_ folder: String) throws -> String {
    let places = try places(folder)
    if places.index == nil { return try Checksum.hex(file: places.single) }
    let shards = try Set(places.shards.values).sorted().map { try Checksum.hex(file: folder + "/" + $0) }
    return Checksum.hex(Checksum.xxh3(Array(shards.joined().utf8)))
  }

  /// Opens the files with the weights and checks that they contain exactly the tensors of `configuration`, before anything large is
  /// allocated.
  private static func open(_ folder: String, _ configuration: ModelConfiguration) throws -> [(ParameterLayout.Tensor, SafetensorsFile)] {
    let places = try places(folder)
    var files: [String: SafetensorsFile] = [:]
    let found = try ParameterLayout(configuration).tensors.map { tensor in
      let shard = places.shards[tensor.name]
      if let index = places.index, shard == nil { throw WeirError(index, "has no entry for tensor \"\(tensor.name)\"") }
      let path = shard.map { folder + "/" + $0 } ?? places.single
      let file = try files[path] ?? SafetensorsFile(path)
      files[path] = file
      guard let shape = file.shape(tensor.name), let type = file.dtype(tensor.name) else {
        throw WeirError(path, "has no tensor \"\(tensor.name)\"")
      }
      guard shape == tensor.shape else {
        throw WeirError(path, "tensor \"\(tensor.name)\" is \(shape), expected \(tensor.shape) from config.json")
      }
      guard [.F32, .F16, .BF16, .F64].contains(type) else {
        throw WeirError(path, "tensor \"\(tensor.name)\" is \(type.rawValue), expected F32, F16, BF16 or F64")
      }
      return (tensor, file)
    }
    let known = Set(found.map { $0.0.name })
    for (path, file) in files.sorted(by: { $0.key < $1.key }) {
      // A tied output matrix may be stored twice, and old files contain RoPE's frequencies; neither is a separate weight.
      for name in file.names where !known.contains(name) && name != "lm_head.weight" && !name.hasSuffix(".rotary_emb.inv_freq") {
        throw WeirError(path, "has an unexpected tensor \"\(name)\"")
      }
    }
    return found
  }

  /// Throws `WeirError` if the weights do not match `configuration`.
  static func check(_ folder: String, configuration: ModelConfiguration) throws { _ = try open(folder, configuration) }

  /// Reads the weights (F32, F16, BF16 or F64, in one file or in shards) into a buffer with the layout of `configuration`.
  /// - Throws: `WeirError` if a tensor is missing, has another shape, or contains NaN/Inf.
  package static func readWeights(_ folder: String, configuration: ModelConfiguration, into parameters: FloatBuffer) throws {
    for (tensor, file) in try open(folder, configuration) {
      try file.withFloats(tensor.name) { floats in
        if let index = firstNotFinite(floats) {
          throw WeirError(
            file.path, "tensor \"\(tensor.name)\" is \(floats[index]) at element \(index)", remedy: "use an earlier checkpoint")
        }
        parameters.write(floats, at: tensor.range.lowerBound)
      }
    }
  }

  /// The index of the first NaN or infinity.
  private static func firstNotFinite(_ floats: UnsafeBufferPointer<Float>) -> Int? {
    // Testing the bits lets the compiler vectorize the loop.
    var bad: UInt32 = 0
    for value in floats { bad |= value.bitPattern & 0x7F80_0000 == 0x7F80_0000 ? 1 : 0 }
    return bad == 0 ? nil : floats.firstIndex { !$0.isFinite }
  }

  /// Reads the configuration and the weights.
  package static func load(_ folder: String) throws -> (configuration: ModelConfiguration, parameters: FloatBuffer) {
    let configuration = try configuration(folder)
    try check(folder, configuration: configuration)
    let parameters = FloatBuffer(ParameterLayout(configuration).count)
    try readWeights(folder, configuration: configuration, into: parameters)
    return (configuration, parameters)
  }
}
