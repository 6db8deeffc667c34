import Foundation
import Kernels
import Storage

extension ModelFolder {
  private struct Generation: Codable {
    var bos_token_id: Int?
    var eos_token_id: Int?
    var do_sample = true
  }

  /// Writes the files of a model into an existing folder; the caller makes the write atomic.
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
    try JSONFile.write(config, to: configurationPath(folder))
    try JSONFile.write(Generation(bos_token_id: endOfDocument, eos_token_id: endOfDocument), to: folder + "/generation_config.json")
    guard let tokenizer else { return }
    for name in tokenizerFiles where Files.exists(tokenizer + "/" + name) {
      try Files.write(try Files.read(tokenizer + "/" + name), to: folder + "/" + name)
    }
    // Without this file, transformers uses its class for the first Llama tokenizer, which splits text differently.
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

  /// Writes a model folder atomically.
  /// - Parameters:
  ///   - folder: replaced if it is a Weir folder.
  ///   - tokenizer: a folder with tokenizer files to copy.
  ///   - inputs: fingerprints of the inputs, for the manifest.
  ///   - counts: steps and tokens, for the manifest.
  @discardableResult package static func write(
    _ folder: String, configuration: ModelConfiguration, parameters: FloatBuffer, tokenizer: String?, endOfDocument: Int? = nil,
    inputs: [String: String] = [:], counts: [String: Int] = [:]
  ) throws -> Manifest {
    let output = try AtomicFolder(folder, replacing: true)
    try writeFiles(output.working, configuration: configuration, parameters: parameters, tokenizer: tokenizer, endOfDocument: endOfDocument)
    return try output.commit(
      format: format, tool: "weir", inputs: inputs, configuration: JSONValue(encoding: configuration),
      counts: counts.merging(["parameters": configuration.parameters]) { $1 })
  }
}
