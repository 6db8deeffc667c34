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

  /// The tensors of a random model in the form that `Safetensors.write` takes.
  private func tensors(_ type: DType, seed: UInt64 = 1) -> [(name: String, dtype: DType, shape: [Int], bytes: [UInt8])] {
    let model = randomModel(Self.shape, rows: 1, sequence: 4, training: false, seed: seed)
    return ParameterLayout(Self.shape).tensors.map { tensor in
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
        (["rope_parameters": ["rope_type": "llama3", "factor": 8]], "RoPE scaling of type llama3"),
        (["rope_scaling": ["type": "linear", "factor": 2]], "RoPE scaling of type linear"),
        (["rope_parameters": ["rope_theta": 10_000, "partial_rotary_factor": 0.5]], "partial_rotary_factor is not supported"),
        (["rope_parameters": "default"], "rope_parameters is not an object"), (["attention_bias": true], "biases"),
        (["mlp_bias": true], "biases"), (["quantization_config": ["bits": 4]], "quantized"), (["model_type": "gpt2"], "gpt2"),
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
      try config(folder, ["tie_word_embeddings": true])
      #expect(try ModelFolder.load(folder).configuration.tiedEmbeddings)
      try Files.remove(folder + "/model.safetensors")
      #expect(errorMessage { _ = try ModelFolder.load(folder) }.contains("does not exist, and neither does an index of shards"))
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
