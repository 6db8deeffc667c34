import Foundation
import Primitives
import Storage

extension ModelFolder {
  /// The members of `config.json` that are read or written.
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
    var original_max_position_embeddings: Int?
    var rope_theta: Double?
    var rope_scaling: JSONValue?
    var rope_parameters: JSONValue?
    var partial_rotary_factor: JSONValue?
    var rms_norm_eps: Double?
    var tie_word_embeddings: Bool?
    var quantization_config: JSONValue?
    var attention_bias: Bool? = false
    var mlp_bias: Bool? = false
    var use_sliding_window: Bool?
    var layer_types: [String]?
    var attention_dropout: Double? = 0
    var initializer_range: Double? = 0.02
    var use_cache: Bool? = true
    var bos_token_id: JSONValue?
    var eos_token_id: JSONValue?
    var torch_dtype: String? = "float32"
  }

  /// The architectures that are read: the class of the whole model, and that of a base model without an output matrix.
  private static let classes = [
    "llama": ("LlamaForCausalLM", "LlamaModel"), "qwen2": ("Qwen2ForCausalLM", "Qwen2Model"), "qwen3": ("Qwen3ForCausalLM", "Qwen3Model"),
  ]

  /// The class of a whole model of a type.
  static func modelClass(_ type: String) -> String? { classes[type]?.0 }

  /// The shape of a model.
  /// - Throws: `WeirError` if it is not a model that Weir computes exactly.
  package static func configuration(_ folder: String) throws -> ModelConfiguration {
    let path = configurationPath(folder)
    let config = try JSONFile.read(Config.self, from: path)
    func refuse(_ reason: String) -> WeirError { unsupported(path, reason) }
    guard let type = config.model_type, let (whole, base) = classes[type] else {
      throw refuse("model_type is \(config.model_type ?? "absent"), not llama, qwen2 or qwen3")
    }
    guard config.use_sliding_window != true, config.layer_types?.allSatisfy({ $0 == "full_attention" }) ?? true else {
      throw refuse("sliding-window attention is not supported")
    }
    let activation = config.hidden_act ?? "silu"
    guard ["silu", "swish"].contains(activation) else { throw refuse("hidden_act is \(activation), not silu") }
    guard config.mlp_bias != true else { throw refuse("biases of the feed-forward layers (mlp_bias) are not supported") }
    guard config.architectures?.contains(where: { $0 == whole || $0 == base }) != false else {
      throw refuse("architectures is \(config.architectures?.joined(separator: ", ") ?? ""), not \(whole)")
    }
    if let quantization = config.quantization_config, quantization != .null {
      throw refuse("quantized weights (\(quantization["quant_method"]?.string ?? "quantization_config")) are not supported")
    }
    guard config.num_attention_heads > 0 else { throw refuse("num_attention_heads is \(config.num_attention_heads)") }
    // What transformers assumes for the members that are absent.
    let headWidth = config.head_dim ?? (type == "qwen3" ? 128 : nil)
    let sequence = config.max_position_embeddings ?? (type == "llama" ? 2_048 : 32_768)
    guard headWidth != nil || config.hidden_size % config.num_attention_heads == 0 else {
      throw refuse("hidden_size \(config.hidden_size) is not a multiple of num_attention_heads \(config.num_attention_heads)")
    }
    guard config.num_key_value_heads ?? 1 > 0 else { throw refuse("num_key_value_heads is \(config.num_key_value_heads ?? 0)") }
    guard [nil, .null, 1].contains(config.partial_rotary_factor) else {
      throw refuse("partial_rotary_factor is not supported: RoPE rotates all dimensions of a head")
    }
    let (theta, scaling) = try rotary(config, sequence: sequence, path: path)
    var model = ModelConfiguration(
      vocabulary: config.vocab_size, width: config.hidden_size, layers: config.num_hidden_layers, heads: config.num_attention_heads,
      kvHeads: config.num_key_value_heads, headWidth: headWidth, ffn: config.intermediate_size, sequence: sequence, ropeTheta: theta,
      normEpsilon: config.rms_norm_eps ?? 1e-6, tiedEmbeddings: config.tie_word_embeddings ?? false, qkNorm: type == "qwen3")
    model.ropeScaling = scaling
    model.biases = type == "qwen2" ? .qkv : config.attention_bias == true ? .all : nil
    try model.validate(place: path)
    return model
  }

  /// θ and the scaling of RoPE, from `rope_scaling`, the older name, or else from `rope_parameters`.
  private static func rotary(_ config: Config, sequence: Int, path: String) throws -> (Double, RotaryScaling?) {
    for (name, value) in [("rope_scaling", config.rope_scaling), ("rope_parameters", config.rope_parameters)] {
      switch value {
      case nil, .null: continue
      case .object(let members) where members.isEmpty: continue
      case .object(let members):
        let rope = RotaryMembers(path: path, name: name, members: members)
        let scaling = try rope.scaling(sequence: sequence, original: config.original_max_position_embeddings)
        return (try rope.number("rope_theta") ?? config.rope_theta ?? 10_000, scaling)
      default: throw unsupported(path, "\(name) is not an object")
      }
    }
    return (config.rope_theta ?? 10_000, nil)
  }
}

private func unsupported(_ path: String, _ reason: String) -> WeirError {
  WeirError(path, reason, remedy: "use a Llama, Qwen 2 or Qwen 3 model without other extensions")
}

/// The members of `rope_scaling` or `rope_parameters`.
private struct RotaryMembers {
  /// The configuration's file, for errors.
  let path: String
  let name: String
  let members: [String: JSONValue]

  /// Members that change nothing, or nothing for other types of scaling than their own.
  private static let known: Set = [
    "rope_type", "type", "rope_theta", "factor", "original_max_position_embeddings", "low_freq_factor", "high_freq_factor",
    "attention_factor", "beta_fast", "beta_slow", "mscale", "mscale_all_dim", "truncate", "finetuned",
  ]

  func number(_ key: String) throws -> Double? {
    guard let value = members[key], value != .null else { return nil }
    guard let number = value.number else { throw unsupported(path, "\(name).\(key) is not a number") }
    return number
  }

  private func need(_ key: String) throws -> Double {
    guard let value = try number(key) else { throw unsupported(path, "\(name).\(key) is missing") }
    return value
  }

  /// - Parameters:
  ///   - sequence: the model's positions.
  ///   - original: the positions before scaling, if they are a member of their own.
  func scaling(sequence: Int, original: Int?) throws -> RotaryScaling? {
    let type = members["rope_type"]?.string ?? members["type"]?.string ?? "default"
    let kind = RotaryScaling.Kind(rawValue: type)
    guard kind != nil || type == "default" else { throw unsupported(path, "RoPE scaling of type \(type) is not supported") }
    for (key, value) in members.sorted(by: { $0.key < $1.key }) where !Self.known.contains(key) {
      guard value == .null || value == 1 else { throw unsupported(path, "\(name).\(key) is not supported") }
    }
    guard let kind else { return nil }
    var before = sequence
    if kind == .llama3 || kind == .yarn {
      let stored = try number("original_max_position_embeddings")
      before = original ?? stored.map { Int(exactly: $0.rounded()) ?? 0 } ?? sequence
    }
    let factor = kind == .yarn ? try number("factor") ?? Double(sequence) / Double(max(1, before)) : try need("factor")
    var scaling = RotaryScaling(kind, factor: factor, original: before)
    switch kind {
    case .linear, .dynamic: break
    case .llama3: (scaling.lowFrequency, scaling.highFrequency) = (try need("low_freq_factor"), try need("high_freq_factor"))
    case .yarn:
      // 0 stands for the default, as in transformers.
      if let value = try number("beta_fast"), value != 0 { scaling.betaFast = value }
      if let value = try number("beta_slow"), value != 0 { scaling.betaSlow = value }
      if members["truncate"] == false { scaling.truncates = false }
      scaling.attention = try number("attention_factor") ?? attention(factor)
    }
    return scaling
  }

  /// YaRN's factor on attention, 0.1·ln(factor) + 1, or the quotient of two such factors (DeepSeek).
  private func attention(_ factor: Double) throws -> Double {
    func scale(_ weight: Double) -> Double { factor <= 1 ? 1 : 0.1 * weight * log(factor) + 1 }
    guard let one = try number("mscale"), let all = try number("mscale_all_dim"), one != 0, all != 0 else { return scale(1) }
    return scale(one) / scale(all)
  }
}

extension RotaryScaling {
  /// The members of `rope_scaling`.
  var members: [String: JSONValue] {
    var members: [String: JSONValue] = ["rope_type": .string(kind.rawValue), "factor": .number(factor)]
    if kind == .llama3 || kind == .yarn { members["original_max_position_embeddings"] = .number(Double(original)) }
    switch kind {
    case .linear, .dynamic: break
    case .llama3: members.merge(["low_freq_factor": .number(lowFrequency), "high_freq_factor": .number(highFrequency)]) { $1 }
    case .yarn:
      members.merge([
        "beta_fast": .number(betaFast), "beta_slow": .number(betaSlow), "attention_factor": .number(attention),
        "truncate": .bool(truncates),
      ]) { $1 }
    }
    return members
  }
}
