import Foundation
import Kernels
import Primitives
import Storage
import TestSupport
import Testing
import Training

/// Model folders as other programs write them, intact and damaged.
@Suite struct ModelFolderTests {
  static let shape = ModelConfiguration(
    vocabulary: 24, width: 8, layers: 2, heads: 4, kvHeads: 2, ffn: 16, sequence: 16, tiedEmbeddings: false)

  private typealias Tensor = (name: String, dtype: DType, shape: [Int], bytes: [UInt8])

  /// The tensors of a random model in the form that `Safetensors.write` takes.
  private func tensors(_ type: DType, seed: UInt64 = 1, shape: ModelConfiguration = shape) -> [Tensor] {
    let model = randomModel(shape, rows: 1, sequence: 4, training: false, seed: seed)
    return ParameterLayout(shape).tensors.map { tensor in
      let floats = model.parameters[tensor.range]
      let bytes =
        switch type {
        case .BF16: floats.flatMap { value in withUnsafeBytes(of: UInt16(value.bitPattern >> 16).littleEndian) { Array($0) } }
        case .F16: floats.flatMap { value in withUnsafeBytes(of: Float16(value).bitPattern.littleEndian) { Array($0) } }
        default: floats.withUnsafeBytes { Array($0) }
        }
      return (tensor.name, type, tensor.shape, bytes)
    }
  }

  private func config(_ folder: String, _ changes: [String: JSONValue] = [:]) throws {
    var members: [String: JSONValue] = [
      "architectures": ["LlamaForCausalLM"], "model_type": "llama", "hidden_act": "silu", "vocab_size": 24, "hidden_size": 8,
      "num_hidden_layers": 2, "num_attention_heads": 4, "num_key_value_heads": 2, "head_dim": 2, "intermediate_size": 16,
      "max_position_embeddings": 16, "rms_norm_eps": 1e-5, "tie_word_embeddings": false, "dtype": "float32", "eos_token_id": [3, 5],
      "rope_parameters": ["rope_type": "default", "rope_theta": 10_000],
    ]
    members.merge(changes) { $1 }
    try Data(JSONFile.encode(JSONValue.object(members))).write(to: URL(fileURLWithPath: folder + "/config.json"))
  }

  @Test(arguments: [DType.F32, .BF16, .F16]) func shardsOfAnyPrecisionAreRead(_ type: DType) throws {
    try withTemporaryFolder { folder in
      try config(folder)
      let all = tensors(type)
      _ = try Safetensors.write(folder + "/model.safetensors", tensors: all)
      let one = try ModelFolder.load(folder)
      #expect(one.configuration == Self.shape)
      #expect(ModelFolder.endOfDocument(folder) == 3)
      #expect(ModelFolder.endings(folder) == [3, 5])
      let layout = ParameterLayout(Self.shape)
      let exact = randomModel(Self.shape, rows: 1, sequence: 4, training: false, seed: 1).parameters
      let relative: Float = type == .F32 ? 0 : type == .BF16 ? 0x1p-7 : 0x1p-10
      for index in 0..<layout.count {
        let wanted = exact[index..<index + 1][0]
        #expect(abs(one.parameters[index..<index + 1][0] - wanted) <= abs(wanted) * relative + (type == .F16 ? 1e-7 : 0))
      }
      try Files.remove(folder + "/model.safetensors")
      var map: [String: String] = [:]
      for part in 0..<3 {
        let own = all.enumerated().filter { $0.offset % 3 == part }.map(\.element)
        _ = try Safetensors.write(folder + "/model-\(part).safetensors", tensors: own)
        for tensor in own { map[tensor.name] = "model-\(part).safetensors" }
      }
      try JSONFile.write(["weight_map": map], to: folder + "/model.safetensors.index.json")
      #expect(try ModelFolder.load(folder).parameters.values == one.parameters.values)

      map["lm_head.weight"] = "../model-0.safetensors"
      try JSONFile.write(["weight_map": map], to: folder + "/model.safetensors.index.json")
      #expect(errorMessage { _ = try ModelFolder.load(folder) }.contains("is not a file name"))
      map["lm_head.weight"] = nil
      try JSONFile.write(["weight_map": map], to: folder + "/model.safetensors.index.json")
      #expect(errorMessage { _ = try ModelFolder.load(folder) }.contains("has no entry for tensor \"lm_head.weight\""))
    }
  }

  @Test func unsupportedModelsAreRejected() throws {
    try withTemporaryFolder { folder in
      _ = try Safetensors.write(folder + "/model.safetensors", tensors: tensors(.F32))
      let cases: [([String: JSONValue], String)] = [
        (["rope_parameters": ["rope_type": "llama3", "factor": 8]], "low_freq_factor is missing"),
        (["rope_scaling": ["type": "linear"]], "rope_scaling.factor is missing"),
        (["rope_scaling": ["type": "linear", "factor": 0]], "factor must be positive"),
        (["rope_scaling": ["type": "yarn", "factor": 2, "original_max_position_embeddings": 0]], "original number of positions"),
        (["rope_scaling": ["type": "dynamic", "factor": "2"]], "rope_scaling.factor is not a number"),
        (["rope_parameters": ["rope_type": "longrope", "factor": 8]], "RoPE scaling of type longrope"),
        (["rope_scaling": ["type": "default", "mrope_section": [1, 1, 2]]], "mrope_section is not supported"),
        (["layer_types": ["full_attention", "sliding_attention"]], "sliding-window attention"),
        (["rope_parameters": ["rope_theta": 10_000, "partial_rotary_factor": 0.5]], "partial_rotary_factor is not supported"),
        (["partial_rotary_factor": 0.5], "partial_rotary_factor is not supported"), (["partial_rotary_factor": "1"], "partial_rotary"),
        (["rope_parameters": "default"], "rope_parameters is not an object"), (["attention_bias": true], "q_proj.bias"),
        (["model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"]], "q_proj.bias"), (["mlp_bias": true], "biases"),
        (["quantization_config": ["bits": 4]], "quantized"), (["quantization_config": ["quant_method": "fp8"]], "quantized weights (fp8)"),
        (["model_type": "gpt2"], "gpt2"),
        (["architectures": ["LlamaForSequenceClassification"]], "LlamaForSequenceClassification"), (["hidden_act": "gelu"], "gelu"),
        (["num_attention_heads": 0], "num_attention_heads is 0"), (["num_key_value_heads": 0], "num_key_value_heads is 0"),
        (["num_key_value_heads": 3], "must be a multiple"), (["num_attention_heads": -4], "num_attention_heads is -4"),
        (["hidden_size": 9], "expected [24, 9] from config.json"), (["head_dim": 3], "must be even"),
        (["vocab_size": 25], "expected [25, 8]"),
        (["num_hidden_layers": 3], "has no tensor"), (["num_hidden_layers": 1], "has an unexpected tensor \"model.layers.1."),
        (["num_hidden_layers": 1_000_000], "not in 1…"), (["vocab_size": 4_611_686_018_427_387_904], "not in 1…"),
        (["intermediate_size": 1e300], "out of range"), (["rms_norm_eps": -1], "negative"),
        (["rope_parameters": ["rope_theta": 0]], "must be positive"), (["hidden_size": "8"], "\"hidden_size\""),
      ]
      for (changes, reason) in cases {
        try config(folder, changes)
        let line = errorMessage { _ = try ModelFolder.load(folder) }
        #expect(line.contains(reason) && line.hasPrefix(folder) && !line.contains("\n"), "\(changes): \(line)")
      }
      // transformers does not tie an output matrix that differs from the embedding.
      try config(folder, ["tie_word_embeddings": true])
      #expect(errorMessage { _ = try ModelFolder.load(folder) }.contains("\"lm_head.weight\" differs from the embedding"))
      var tied = tensors(.F32)
      tied[tied.count - 1].bytes = tied[0].bytes
      _ = try Safetensors.write(folder + "/model.safetensors", tensors: tied)
      #expect(try ModelFolder.load(folder).configuration.tiedEmbeddings)
      try Files.remove(folder + "/model.safetensors")
      #expect(errorMessage { _ = try ModelFolder.load(folder) }.contains("does not exist, and neither does an index of shards"))
    }
  }

  /// The names that wrappers and base models give to tensors stand for the same weights; what cannot be read is named.
  @Test func oddWeightsAreReadOrNamed() throws {
    try withTemporaryFolder { folder in
      let path = folder + "/model.safetensors", all = tensors(.F32)
      func write(_ changed: [Tensor]) throws { _ = try Safetensors.write(path, tensors: changed) }
      func renamed(_ change: (String) -> String) -> [Tensor] { all.map { (change($0.name), $0.dtype, $0.shape, $0.bytes) } }
      try config(folder)
      try write(all)
      let plain = try ModelFolder.load(folder).parameters.values
      let renamings: [(String) -> String] = [
        { "_orig_mod." + $0 }, { "module." + $0 }, { "module._orig_mod." + $0 },
        { $0.replacingOccurrences(of: "model.layers.", with: "model._orig_mod.layers.") },
        { $0.replacingOccurrences(of: ".self_attn.", with: "._checkpoint_wrapped_module.self_attn.") },
        { $0.hasPrefix("model.") ? String($0.dropFirst(6)) : $0 },
      ]
      for renaming in renamings {
        try write(renamed(renaming))
        #expect(try ModelFolder.load(folder).parameters.values == plain, "\(renaming("model.layers.0.self_attn.q_proj.weight"))")
      }
      // A base model has an output matrix only if it is the embedding.
      try config(folder, ["architectures": ["LlamaModel"]])
      let base = renamed { $0.hasPrefix("model.") ? String($0.dropFirst(6)) : $0 }
      try write(base.dropLast())
      #expect(errorMessage { _ = try ModelFolder.load(folder) }.contains("the output matrix is missing, as in a base model"))
      try config(folder, ["architectures": ["LlamaModel"], "tie_word_embeddings": true])
      #expect(try ModelFolder.load(folder).configuration.tiedEmbeddings)

      try config(folder)
      func reason(_ changed: [Tensor]) throws -> String {
        try write(changed)
        return errorMessage { _ = try ModelFolder.load(folder) }
      }
      #expect(try reason(all + renamed { "_orig_mod." + $0 }).contains("are the same weights"))
      var changed = all
      changed[2] = (all[2].name, .F8_E4M3, all[2].shape, Array(all[2].bytes.prefix(all[2].bytes.count / 4)))
      #expect(try reason(changed).contains("\"\(all[2].name)\" is F8_E4M3, expected F32, F16, BF16 or F64; save the model in BF16"))
      let query = "model.layers.0.self_attn.q_proj"
      func without(_ name: String) -> [Tensor] { all.filter { $0.name != name } }
      #expect(
        try reason(without(query + ".weight") + [(query + ".qweight", .I32, [1], [0, 0, 0, 0])]).contains(
          "quantized (\"\(query).qweight\")"))
      #expect(
        try reason(without(query + ".weight") + [(query + ".base_layer.weight", .I32, [1], [0, 0, 0, 0])]).contains("merge the adapter"))
      #expect(try reason([("transformer.h.0.attn.c_attn.weight", .F32, [1], [0, 0, 0, 0])]).contains("it contains transformer.h.0.attn"))
      try Files.remove(path)
      try Files.write([0], to: folder + "/pytorch_model.bin")
      #expect(errorMessage { _ = try ModelFolder.load(folder) }.contains("found pytorch_model.bin"))
      try Files.remove(folder + "/config.json")
      try Files.write(Array("{}".utf8), to: folder + "/adapter_config.json")
      #expect(errorMessage { _ = try ModelFolder.locate(folder) }.contains("an adapter without its model"))
    }
  }

  @Test func extensionsAreReadAndWritten() throws {
    try withTemporaryFolder { folder in
      let cases: [([String: JSONValue], ModelConfiguration.Biases?, RotaryScaling?)] = [
        (
          ["rope_parameters": .null, "rope_scaling": ["type": "linear", "factor": 2]], nil, RotaryScaling(.linear, factor: 2, original: 16)
        ),
        (
          ["head_dim": 4, "rope_parameters": ["rope_type": "dynamic", "factor": 4]], nil, RotaryScaling(.dynamic, factor: 4, original: 16)
        ),
        (
          [
            "attention_bias": true,
            "rope_parameters": [
              "rope_type": "llama3", "factor": 8, "low_freq_factor": 1, "high_freq_factor": 5, "original_max_position_embeddings": 40,
            ],
          ], .all, GradientTests.llama3
        ),
        (
          [
            "model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"],
            "rope_scaling": [
              "type": "yarn", "factor": 4, "original_max_position_embeddings": 20, "beta_fast": 2, "beta_slow": 0.5,
              "attention_factor": 1.14,
            ],
          ], .qkv, GradientTests.yarn
        ),
      ]
      for (index, (changes, biases, scaling)) in cases.enumerated() {
        try config(folder, changes)
        let read = try ModelFolder.configuration(folder)
        #expect(read.biases == biases && read.ropeScaling == scaling, "\(changes)")
        let path = "\(folder)/\(index)", model = randomModel(read, rows: 1, sequence: 4, training: false)
        try ModelFolder.write(path, configuration: read, parameters: model.parameters, tokenizer: nil, endOfDocument: 3)
        #expect(try ModelFolder.load(path).configuration == read)
        #expect(try ModelFolder.load(path).parameters.values == model.parameters.values)
      }
      // As in transformers: the factor that is missing follows from the positions, a member of its own comes first, and rope_scaling before
      // rope_parameters.
      try config(
        folder,
        [
          "rope_scaling": ["type": "yarn", "original_max_position_embeddings": 2, "mscale": 2, "mscale_all_dim": 1], "rope_theta": 500,
          "original_max_position_embeddings": 4,
        ])
      let read = try ModelFolder.configuration(folder), scaling = try #require(read.ropeScaling)
      #expect(scaling.factor == 4 && scaling.original == 4 && read.ropeTheta == 500 && read.longestSequence == 16)
      #expect(abs(scaling.attention - (0.2 * log(4) + 1) / (0.1 * log(4) + 1)) < 1e-12)
    }
  }

  /// Training changes the weights alone: all other files and members come from the folder that it started from.
  @Test func everythingButTheWeightsIsCarriedOver() throws {
    try withTemporaryFolder { folder in
      let origin = folder + "/origin", path = folder + "/new"
      try Files.createFolder(origin + "/additional_chat_templates")
      try config(origin, ["dtype": "bfloat16", "pad_token_id": 7, "custom": ["a": 1.5], "torch_dtype": .null])
      _ = try Safetensors.write(origin + "/model.safetensors", tensors: tensors(.BF16))
      let files = [
        "generation_config.json": #"{"eos_token_id": [5, 3], "temperature": 0.6, "top_p": 0.95, "transformers_version": "5.0"}"#,
        "chat_template.jinja": "{{ messages }}", "additional_chat_templates/tool.jinja": "{{ tools }}", "added_tokens.json": "{}",
        "special_tokens_map.json": "{\"pad_token\": \"x\"}", "tokenizer_config.json": "{}", "vocab.json": "{}", "merges.txt": "a b\n",
        "LICENSE": "free",
      ]
      for (name, text) in files { try Files.write(Array(text.utf8), to: origin + "/" + name) }
      for name in ["pytorch_model.bin", "optimizer.pt", "adapter_config.json", "manifest.json", "state.json", ".hidden"] {
        try Files.write([0], to: origin + "/" + name)
      }
      try Files.createFolder(folder + "/tokenizer")
      try Files.write(Array("{\"other\": true}".utf8), to: folder + "/tokenizer/tokenizer_config.json")
      let (configuration, parameters) = try ModelFolder.load(origin)
      try ModelFolder.write(
        path, configuration: configuration, parameters: parameters, origin: origin, tokenizer: folder + "/tokenizer", endOfDocument: 9)
      for (name, text) in files { #expect(try String(decoding: Files.read(path + "/" + name), as: UTF8.self) == text, "\(name)") }
      let expected = Set(files.keys).union(["config.json", "model.safetensors", "manifest.json"])
      #expect(Set(try Files.walk(path)) == expected)
      let before = try JSONFile.read([String: JSONValue].self, from: origin + "/config.json")
      #expect(try JSONFile.read([String: JSONValue].self, from: path + "/config.json") == before.merging(["dtype": "float32"]) { $1 })
      #expect(ModelFolder.endings(path) == [5, 3] && ModelFolder.endOfDocument(path) == 3)
      #expect(try ModelFolder.load(path).parameters.values == parameters.values)
      // All other members keep their bytes.
      let text =
        #"{ "rope_theta": 1e6,"torch_dtype" :"bfloat16", "rms_norm_eps": 1E-06, "custom": {"torch_dtype": "bfloat16", "s": "\"}"}}"#
      let changed = try JSONMembers.replacing(["torch_dtype": "float32", "absent": 1], in: Array(text.utf8))
      #expect(
        String(decoding: changed, as: UTF8.self)
          == #"{ "rope_theta": 1e6,"torch_dtype" :"float32", "rms_norm_eps": 1E-06, "custom": {"torch_dtype": "bfloat16", "s": "\"}"}}"#)
      try config(origin, ["dtype": "float32"])
      try ModelFolder.write(path, configuration: configuration, parameters: parameters, origin: origin, tokenizer: nil)
      #expect(try Files.read(path + "/config.json") == Files.read(origin + "/config.json"))
    }
  }

  @Test func nonFiniteWeightsAreRejected() throws {
    try withTemporaryFolder { folder in
      try config(folder)
      for (value, name) in [(Float.nan, "nan"), (.infinity, "inf"), (-.infinity, "-inf")] {
        var all = tensors(.F32)
        all[4].bytes.replaceSubrange(12..<16, with: withUnsafeBytes(of: value.bitPattern.littleEndian) { Array($0) })
        _ = try Safetensors.write(folder + "/model.safetensors", tensors: all)
        #expect(errorMessage { _ = try ModelFolder.load(folder) }.contains("tensor \"\(all[4].name)\" is \(name) at element 3"))
      }
      var all = tensors(.F32)
      all[2].dtype = .I32
      _ = try Safetensors.write(folder + "/model.safetensors", tensors: all)
      #expect(errorMessage { _ = try ModelFolder.load(folder) }.contains("is I32, expected F32"))
      _ = try Safetensors.write(
        folder + "/model.safetensors",
        tensors: tensors(.F32) + [("model.layers.0.self_attn.q_proj.bias", .F32, [1], [0, 0, 0, 0])])
      #expect(errorMessage { _ = try ModelFolder.load(folder) }.contains("q_proj.bias"))
      _ = try Safetensors.write(
        folder + "/model.safetensors", tensors: tensors(.F32) + [("model.layers.0.self_attn.rotary_emb.inv_freq", .F32, [1], [0, 0, 0, 0])])
      #expect(errorMessage { _ = try ModelFolder.load(folder) }.isEmpty)
    }
  }

  @Test(arguments: [1, 2, 3] as [UInt64]) func damagedFilesAreErrors(_ seed: UInt64) throws {
    try withTemporaryFolder { folder in
      var random = SequentialRandom(seed: seed, stream: 91)
      try config(folder)
      _ = try Safetensors.write(folder + "/model.safetensors", tensors: tensors(.BF16))
      let whole = ["config.json", "model.safetensors"].map { ($0, (try? Files.read(folder + "/" + $0)) ?? []) }
      let marks = Array("0123456789-.e[]{},:\"tn".utf8)
      for round in 0..<200 {
        let (name, good) = whole[round % 2]
        var bytes = good
        switch Int.random(in: 0..<3, using: &random) {
        case 0: bytes[Int.random(in: 0..<bytes.count, using: &random)] ^= 1 << UInt8.random(in: 0..<8, using: &random)
        case 1: bytes = Array(bytes.prefix(Int.random(in: 0..<bytes.count, using: &random)))
        default:
          for _ in 0..<Int.random(in: 1...3, using: &random) {
            bytes[Int.random(in: 0..<min(bytes.count, 700), using: &random)] = marks[Int.random(in: 0..<marks.count, using: &random)]
          }
        }
        try Data(bytes).write(to: URL(fileURLWithPath: folder + "/" + name))
        do {
          let (configuration, parameters) = try ModelFolder.load(folder)
          #expect(parameters.count == ParameterLayout(configuration).count)
          let finite = parameters.values.allSatisfy { $0.isFinite }
          #expect(finite)
        } catch let error as WeirError {
          #expect(error.place.hasPrefix(folder) && !"\(error)".contains("\n"))
        }
        try Data(good).write(to: URL(fileURLWithPath: folder + "/" + name))
      }
    }
  }
}
