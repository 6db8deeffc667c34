import Foundation
import Kernels
import Primitives
import Storage

/// A Llama model folder of the Hugging Face kind (a Qwen 3 one where queries and keys are normalised): `config.json`, `model.safetensors`, `generation_config.json`, the tokenizer's files.
package enum ModelFolder {
  /// The manifest's format.
  package static let format = "weir.model.1"
  /// The tokenizer's files that are copied along where they are there.
  static let tokenizerFiles = ["tokenizer.json", "tokenizer_config.json", "special_tokens_map.json"]

  private struct Config: Codable {
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

  private struct Generation: Codable {
    var bos_token_id: Int?
    var eos_token_id: Int?
    var do_sample = true
  }

  /// The shape of the model in a folder.
  /// - Throws: `WeirError` where it is no Llama model that this trainer computes exactly.
  package static func configuration(_ folder: String) throws -> ModelConfiguration {
    let path = folder + "/config.json"
    let config = try JSONFile.read(Config.self, from: path)
    func refuse(_ reason: String) -> WeirError { WeirError(path, reason, remedy: "only plain Llama and Qwen 3 models are read") }
    guard let type = config.model_type, ["llama", "qwen3"].contains(type) else {
      throw refuse("model_type is \(config.model_type ?? "absent"), not llama or qwen3")
    }
    guard config.use_sliding_window != true else { throw refuse("the model attends through a sliding window") }
    guard config.hidden_act ?? "silu" == "silu" else { throw refuse("hidden_act is \(config.hidden_act ?? ""), not silu") }
    guard config.attention_bias != true, config.mlp_bias != true else { throw refuse("the model has biases") }
    let architecture = type == "qwen3" ? "Qwen3ForCausalLM" : "LlamaForCausalLM"
    guard config.architectures?.contains(architecture) != false else {
      throw refuse("architectures is \(config.architectures?.joined(separator: ", ") ?? ""), not \(architecture)")
    }
    guard config.quantization_config ?? .null == .null else { throw refuse("the weights are quantised") }
    var theta: Double?
    for (name, rope) in [("rope_scaling", config.rope_scaling), ("rope_parameters", config.rope_parameters)] {
      switch rope {
      case nil, .null: continue
      case .object(let members):
        let type = members["rope_type"]?.string ?? members["type"]?.string ?? "default"
        guard type == "default" else { throw refuse("rotary scaling of type \(type) is not supported") }
        for (key, value) in members.sorted(by: { $0.key < $1.key }) where !["rope_type", "type", "rope_theta"].contains(key) {
          guard value == .null || value == 1 else { throw refuse("\(name).\(key) is not supported") }
        }
        if let value = members["rope_theta"] {
          guard let number = value.number else { throw refuse("\(name).rope_theta is no number") }
          theta = number
        }
      default: throw refuse("\(name) is no object")
      }
    }
    guard config.num_attention_heads > 0 else { throw refuse("num_attention_heads is \(config.num_attention_heads)") }
    guard config.head_dim != nil || config.hidden_size % config.num_attention_heads == 0 else {
      throw refuse("hidden_size \(config.hidden_size) is no multiple of num_attention_heads \(config.num_attention_heads)")
    }
    guard config.num_key_value_heads ?? 1 > 0 else { throw refuse("num_key_value_heads is \(config.num_key_value_heads ?? 0)") }
    let model = ModelConfiguration(
      vocabulary: config.vocab_size, width: config.hidden_size, layers: config.num_hidden_layers, heads: config.num_attention_heads,
      kvHeads: config.num_key_value_heads, headWidth: config.head_dim, ffn: config.intermediate_size,
      sequence: config.max_position_embeddings ?? 2_048, ropeTheta: theta ?? config.rope_theta ?? 10_000,
      normEpsilon: config.rms_norm_eps ?? 1e-6, tiedEmbeddings: config.tie_word_embeddings ?? false,
      qkNorm: type == "qwen3")
    try model.validate(place: path)
    return model
  }

  /// The end-of-document token named in the folder, the first of several; nil where there is none.
  package static func endOfDocument(_ folder: String) -> Int? {
    (try? JSONFile.read(Config.self, from: folder + "/config.json"))?.eos_token_id.map(ids)?.first
  }

  /// The token that a text begins with, by `config.json`; nil where there is none.
  package static func beginning(_ folder: String) -> Int? {
    (try? JSONFile.read(Config.self, from: folder + "/config.json"))?.bos_token_id.map(ids)?.first
  }

  /// Every token that ends a text, by `generation_config.json` where it names some, else by `config.json`.
  package static func endings(_ folder: String) -> Set<Int> {
    struct Endings: Codable { var eos_token_id: JSONValue? }
    for name in ["generation_config.json", "config.json"] {
      if let value = (try? JSONFile.read(Endings.self, from: folder + "/" + name))?.eos_token_id { return Set(ids(value)) }
    }
    return []
  }

  /// One id or a list of them.
  private static func ids(_ value: JSONValue) -> [Int] {
    if case .array(let values) = value { return values.compactMap { $0.number.flatMap(Int.init(exactly:)) } }
    return value.number.flatMap(Int.init(exactly:)).map { [$0] } ?? []
  }

  /// The weights' files: one, or the shards by tensor that an index names.
  private static func places(_ folder: String) throws -> (single: String, index: String?, shards: [String: String]) {
    struct Index: Codable { var weight_map: [String: String] }
    let index = folder + "/model.safetensors.index.json", single = folder + "/model.safetensors"
    if Files.exists(single) { return (single, nil, [:]) }
    guard Files.exists(index) else {
      throw WeirError(single, "is not there, nor an index of shards", remedy: "save the model in safetensors form")
    }
    let map = try JSONFile.read(Index.self, from: index).weight_map
    for name in map.values where name.isEmpty || name.contains("/") || name.hasPrefix(".") {
      throw WeirError(index, "\"\(name)\" is not the name of a file in the folder")
    }
    return (single, index, map)
  }

  /// A checksum of the weights' files in `folder`.
  package static func fingerprint(_ folder: String) throws -> String {
    let places = try places(folder)
    if places.index == nil { return Checksum.hex(try Checksum.xxh3(file: places.single)) }
    let shards = try Set(places.shards.values).sorted().map { Checksum.hex(try Checksum.xxh3(file: folder + "/" + $0)) }
    return Checksum.hex(Checksum.xxh3(Array(shards.joined().utf8)))
  }

  /// The weights of a folder, opened, every tensor of `configuration` there in its shape and no other; nothing large is allocated before.
  private static func open(_ folder: String, _ configuration: ModelConfiguration) throws -> [(ParameterLayout.Tensor, SafetensorsFile)] {
    let places = try places(folder)
    var files: [String: SafetensorsFile] = [:]
    let found = try ParameterLayout(configuration).tensors.map { tensor in
      let shard = places.shards[tensor.name]
      if let index = places.index, shard == nil { throw WeirError(index, "names no file for tensor \"\(tensor.name)\"") }
      let path = shard.map { folder + "/" + $0 } ?? places.single
      let file = try files[path] ?? SafetensorsFile(path)
      files[path] = file
      guard let shape = file.shape(tensor.name), let type = file.dtype(tensor.name) else {
        throw WeirError(path, "has no tensor \"\(tensor.name)\"")
      }
      guard shape == tensor.shape else {
        throw WeirError(path, "tensor \"\(tensor.name)\" is \(shape), not \(tensor.shape) as config.json says")
      }
      guard [.F32, .F16, .BF16, .F64].contains(type) else {
        throw WeirError(path, "tensor \"\(tensor.name)\" is \(type.rawValue), not of floats")
      }
      return (tensor, file)
    }
    let known = Set(found.map { $0.0.name })
    for (path, file) in files.sorted(by: { $0.key < $1.key }) {
      // A tied output matrix may be stored a second time, and old files hold the rotary frequencies; neither is a weight of its own.
      for name in file.names where !known.contains(name) && name != "lm_head.weight" && !name.hasSuffix(".rotary_emb.inv_freq") {
        throw WeirError(path, "has a tensor \"\(name)\" that a plain Llama model of config.json's shape does not have")
      }
    }
    return found
  }

  /// Throws where the weights of a folder are not those of `configuration`.
  static func check(_ folder: String, configuration: ModelConfiguration) throws { _ = try open(folder, configuration) }

  /// Reads the weights (F32, F16, BF16 or F64, one file or several with an index) into a block laid out for `configuration`.
  /// - Throws: `WeirError` where a tensor is missing, of another shape, or holds what is no number.
  package static func readWeights(_ folder: String, configuration: ModelConfiguration, into parameters: FloatBuffer) throws {
    for (tensor, file) in try open(folder, configuration) {
      try file.withFloats(tensor.name) { floats in
        if let index = firstNotFinite(floats) {
          throw WeirError(
            file.path, "tensor \"\(tensor.name)\" holds \(floats[index]) at element \(index)", remedy: "take an earlier checkpoint")
        }
        parameters.write(floats, at: tensor.range.lowerBound)
      }
    }
  }

  /// The index of the first infinity or NaN.
  private static func firstNotFinite(_ floats: UnsafeBufferPointer<Float>) -> Int? {
    // On the bits, which the compiler does many at a time.
    var bad: UInt32 = 0
    for value in floats { bad |= value.bitPattern & 0x7F80_0000 == 0x7F80_0000 ? 1 : 0 }
    return bad == 0 ? nil : floats.firstIndex { !$0.isFinite }
  }

  /// Reads a model.
  package static func load(_ folder: String) throws -> (configuration: ModelConfiguration, parameters: FloatBuffer) {
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
    // Without this transformers takes its class for Llama's first tokenizer, which cuts text otherwise.
    let settings = "/tokenizer_config.json"
    guard Files.exists(folder + "/tokenizer.json"), !Files.exists(folder + settings) else { return }
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
    try JSONFile.write(JSONValue.object(members), to: folder + settings)
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
  package static func write(
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
