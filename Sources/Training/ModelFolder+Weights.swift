import Foundation
import Kernels
import Primitives
import Storage

extension ModelFolder {
  /// A tensor in a file of weights.
  struct Stored {
    var name: String
    var file: SafetensorsFile
  }

  /// The files with the weights: a single one, or an index and the shard of each tensor.
  private static func places(_ folder: String) throws -> (single: String, index: String?, shards: [String: String]) {
    struct Index: Codable { var weight_map: [String: String] }
    let index = folder + "/model.safetensors.index.json", single = folder + "/model.safetensors"
    if Files.exists(single) { return (single, nil, [:]) }
    guard Files.exists(index) else {
      let others = try Files.entries(of: folder).filter(isWeights)
      throw WeirError(
        single, "does not exist, and neither does an index of shards" + (others.isEmpty ? "" : "; found \(list(others))"),
        remedy: "save the model as safetensors")
    }
    let map = try JSONFile.read(Index.self, from: index).weight_map
    for name in map.values where name.isEmpty || name.contains("/") || name.hasPrefix(".") {
      throw WeirError(index, "\"\(name)\" is not a file name")
    }
    return (single, index, map)
  }

  /// Whether a file of a model folder holds weights, the moments of an optimizer or the like, to judge from its name.
  static func isWeights(_ name: String) -> Bool {
    [".safetensors", ".safetensors.index.json", ".bin", ".bin.index.json", ".pt", ".pth", ".ckpt", ".gguf", ".h5", ".msgpack", ".onnx"]
      .contains { name.hasSuffix($0) }
  }

  /// The first of some names.
  private static func list(_ names: [String]) -> String { names.prefix(3).joined(separator: ", ") + (names.count > 3 ? ", …" : "") }

  /// A checksum of the weights.
  package static func fingerprint(_ folder: String) throws -> String {
    let places = try places(folder)
    if places.index == nil { return try Checksum.hex(file: places.single) }
    let shards = try Set(places.shards.values).sorted().map { try Checksum.hex(file: folder + "/" + $0) }
    return Checksum.hex(Checksum.xxh3(Array(shards.joined().utf8)))
  }

  /// The name of a tensor in transformers' folders: without what wrappers insert (`torch.compile`, DDP, FSDP, activation checkpointing),
  /// and with the prefix that a base model lacks.
  private static func plainName(_ name: String) -> String {
    let wrappers: Set<Substring> = ["_orig_mod", "module", "_fsdp_wrapped_module", "_checkpoint_wrapped_module"]
    let plain = name.split(separator: ".", omittingEmptySubsequences: false).filter { !wrappers.contains($0) }.joined(separator: ".")
    return plain.hasPrefix("model.") || plain.hasPrefix("lm_head.") ? plain : "model." + plain
  }

  /// Whether a tensor may be there without being a weight of its own: a tied output matrix, and RoPE's frequencies in old files.
  private static func isRedundant(_ name: String) -> Bool { name.hasSuffix("lm_head.weight") || name.hasSuffix(".rotary_emb.inv_freq") }

  /// All tensors by their plain names.
  private static func tensors(_ folder: String) throws -> (place: String, tensors: [String: Stored]) {
    let places = try places(folder)
    var files: [String: SafetensorsFile] = [:]
    for name in places.index == nil ? [places.single] : Set(places.shards.values).sorted().map({ folder + "/" + $0 }) {
      files[name] = try SafetensorsFile(name)
    }
    var found: [String: Stored] = [:]
    for (path, file) in files.sorted(by: { $0.key < $1.key }) {
      for name in file.names where places.index == nil || places.shards[name].map({ folder + "/" + $0 }) == path {
        if let other = found.updateValue(Stored(name: name, file: file), forKey: plainName(name)) {
          throw WeirError(path, "tensors \"\(other.name)\" and \"\(name)\" are the same weights", remedy: "remove one of them")
        }
      }
      if places.index != nil, let extra = file.names.first(where: { places.shards[$0] == nil && !isRedundant($0) }) {
        throw WeirError(path, "has an unexpected tensor \"\(extra)\"", remedy: "save the model again, so that its index is complete")
      }
    }
    for (name, shard) in places.shards.sorted(by: { $0.key < $1.key }) where found[plainName(name)] == nil {
      throw WeirError(folder + "/" + shard, "has no tensor \"\(name)\"", remedy: "download it again")
    }
    return (places.index ?? places.single, found)
  }

  /// Opens the files with the weights and checks that they contain exactly the tensors of `configuration`, before anything large is
  /// allocated.
  static func open(_ folder: String, _ configuration: ModelConfiguration) throws -> [(ParameterLayout.Tensor, Stored)] {
    let (place, stored) = try tensors(folder)
    let found = try ParameterLayout(configuration).tensors.map { tensor in
      guard let weights = stored[tensor.name], let shape = weights.file.shape(weights.name), let type = weights.file.dtype(weights.name)
      else {
        throw missing(tensor.name, in: stored.values.map(\.name).sorted(), place: place)
      }
      let path = weights.file.path
      guard [.F32, .F16, .BF16, .F64].contains(type) else {
        throw WeirError(
          path, "tensor \"\(weights.name)\" is \(type.rawValue), expected F32, F16, BF16 or F64", remedy: "save the model in BF16")
      }
      guard shape == tensor.shape else {
        throw WeirError(path, "tensor \"\(weights.name)\" is \(shape), expected \(tensor.shape) from config.json")
      }
      return (tensor, weights)
    }
    let known = Set(found.map { $0.0.name })
    for (name, weights) in stored.sorted(by: { $0.key < $1.key }) where !known.contains(name) {
      guard isRedundant(name) else { throw WeirError(weights.file.path, "has an unexpected tensor \"\(weights.name)\"") }
      if name == "lm_head.weight" { try checkTied(weights, embedding: stored["model.embed_tokens.weight"]) }
    }
    return found
  }

  /// A tied output matrix may be stored twice. If the two differ, transformers does not tie them.
  private static func checkTied(_ head: Stored, embedding: Stored?) throws {
    guard let embedding, head.file.dtype(head.name) == embedding.file.dtype(embedding.name),
      try head.file.withBytes(
        head.name,
        { one in
          try embedding.file.withBytes(embedding.name) {
            one.count == $0.count && memcmp(one.baseAddress!, $0.baseAddress!, one.count) == 0
          }
        })
    else {
      throw WeirError(
        head.file.path, "tensor \"\(head.name)\" differs from the embedding, but config.json ties the two",
        remedy: "set tie_word_embeddings to false, or remove the tensor")
    }
  }

  /// What is there instead of a tensor.
  private static func missing(_ name: String, in names: [String], place: String) -> WeirError {
    func found(_ parts: String...) -> String? { names.first { name in parts.contains { name.contains($0) } } }
    let lacks = place.hasSuffix(".json") ? "has no entry for tensor \"\(name)\"" : "has no tensor \"\(name)\""
    if let quantized = found(".qweight", ".weight_packed", ".qzeros", ".absmax", "_blocks") {
      return WeirError(place, "\(lacks); its weights are quantized (\"\(quantized)\")", remedy: "save the model in BF16")
    }
    if let adapter = found(".lora_", ".base_layer.") {
      return WeirError(place, "\(lacks); it contains an adapter (\"\(adapter)\")", remedy: "merge the adapter into the model and save that")
    }
    if name == "lm_head.weight" {
      return WeirError(
        place, "\(lacks): the output matrix is missing, as in a base model",
        remedy: "save the whole model, or set tie_word_embeddings if the embedding is the output matrix")
    }
    return WeirError(place, "\(lacks); it contains \(names.isEmpty ? "no tensors" : list(names))")
  }

  /// Throws `WeirError` if the weights do not match `configuration`.
  static func check(_ folder: String, configuration: ModelConfiguration) throws { _ = try open(folder, configuration) }

  /// Reads the weights (F32, F16, BF16 or F64, in one file or in shards) into a buffer with the layout of `configuration`.
  /// - Throws: `WeirError` if a tensor is missing, has another shape, or contains NaN/Inf.
  package static func readWeights(_ folder: String, configuration: ModelConfiguration, into parameters: FloatBuffer) throws {
    try checkFiles(folder)
    for (tensor, weights) in try open(folder, configuration) {
      try withFinite(weights) { parameters.write($0, at: tensor.range.lowerBound) }
    }
  }

  /// The elements of a tensor.
  /// - Throws: `WeirError` if one is NaN or infinite.
  static func floats(_ weights: Stored) throws -> [Float] { try withFinite(weights) { Array($0) } }

  private static func withFinite<R>(_ weights: Stored, _ body: (UnsafeBufferPointer<Float>) throws -> R) throws -> R {
    try weights.file.withFloats(weights.name) { floats in
      if let index = firstNotFinite(floats) {
        throw WeirError(
          weights.file.path, "tensor \"\(weights.name)\" is \(floats[index]) at element \(index)", remedy: "use an earlier checkpoint")
      }
      return try body(floats)
    }
  }

  /// The index of the first NaN or infinity.
  private static func firstNotFinite(_ floats: UnsafeBufferPointer<Float>) -> Int? {
    // Testing the bits lets the compiler vectorize the loop.
    var bad: UInt32 = 0
    for value in floats { bad |= value.bitPattern & 0x7F80_0000 == 0x7F80_0000 ? 1 : 0 }
    return bad == 0 ? nil : floats.firstIndex { !$0.isFinite }
  }
}
