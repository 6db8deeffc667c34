import CKernels
import Kernels
import Primitives
import Storage

/// A sentence encoder of the BERT family in the folder layout of sentence-transformers, such as all-MiniLM-L6-v2, which CRISP §3 uses. The vector
/// of a window of WordPiece ids is the mean of the last hidden states, scaled to length 1.
///
/// Float32 throughout, or with matrices in bfloat16 if the processor supports it. There is no padding: the rows of several windows share a product.
/// Cost: 6 GFLOPs per window of 256 pieces, with six layers of width 384.
package final class SentenceEncoder: Sendable {
  package let dimensions: Int
  /// The most pieces per window, [CLS] and [SEP] included.
  package let longest: Int
  /// XXH3-64 of the file with the weights, and the precision.
  package let fingerprint: String
  private nonisolated(unsafe) let model: UnsafeMutablePointer<weir_encoder>
  private nonisolated(unsafe) let layers: UnsafeMutablePointer<weir_encoder_layer>
  private nonisolated(unsafe) let room: UnsafeMutablePointer<Float>
  private let vocabulary: Int

  private struct Shape: Codable {
    var model_type: String
    var hidden_act: String
    var hidden_size: Int
    var intermediate_size: Int
    var num_hidden_layers: Int
    var num_attention_heads: Int
    var vocab_size: Int
    var max_position_embeddings: Int
    var layer_norm_eps: Double
  }

  /// Whether this processor supports bfloat16 products (AVX512-BF16).
  package static var hasHalf: Bool { weir_bf16_supported() != 0 }

  /// Loads `config.json` and `model.safetensors`.
  /// - Parameters:
  ///   - half: whether matrices are rounded to bfloat16, which needs AVX512-BF16.
  /// - Throws: `WeirError` if the folder contains another kind of model, or is damaged.
  package init(folder: String, half: Bool = false) throws {
    guard !half || Self.hasHalf else {
      throw WeirError("precision", "this processor does not support bfloat16 products (AVX512-BF16)", remedy: "use float32")
    }
    let place = folder + "/config.json"
    guard Files.exists(place) else {
      throw WeirError(
        folder, "contains no sentence encoder (config.json)",
        remedy: "name a folder of sentence-transformers, such as all-MiniLM-L6-v2")
    }
    let shape = try JSONFile.read(Shape.self, from: place)
    let (width, inner) = (shape.hidden_size, shape.intermediate_size)
    guard shape.model_type == "bert", shape.hidden_act == "gelu", (32...8_192).contains(width), width % 32 == 0,
      shape.num_attention_heads == width / 32, (32...65_536).contains(inner), inner % 32 == 0, (1...128).contains(shape.num_hidden_layers),
      (3...1 << 20).contains(shape.vocab_size), (8...8_192).contains(shape.max_position_embeddings)
    else { throw WeirError(place, "is not a BERT encoder with GELU and a head width of 32", remedy: "use all-MiniLM-L6-v2") }
    let file = try SafetensorsFile(folder + "/" + EmbedderFolder.modelFile)
    func read(_ name: String, _ extents: Int...) throws -> [Float] {
      guard file.shape(name) == extents else {
        throw WeirError(file.path, "contains no tensor \(name) of shape \(extents)", remedy: "download the model again")
      }
      let values = try file.floats(name)
      guard weir_all_finite(values, values.count) != 0 else {
        throw WeirError(file.path, "\(name) contains NaN/Inf", remedy: "download the model again")
      }
      return values
    }
    dimensions = width
    longest = min(256, shape.max_position_embeddings)
    vocabulary = shape.vocab_size
    fingerprint = try Checksum.hex(file: file.path) + (half ? " bfloat16" : "")

    // One block for everything, each part aligned to 64 bytes.
    var values: [Float] = []
    func put(_ numbers: [Float]) -> Int {
      let at = values.count
      values += numbers + [Float](repeating: 0, count: (16 - numbers.count % 16) % 16)
      return at
    }
    func matrix(_ numbers: [Float], _ outputs: Int, _ inputs: Int) -> Int {
      var packed = [Float](repeating: 0, count: weir_linear_floats(outputs, inputs, half ? 1 : 0))
      weir_linear_pack(numbers, outputs, inputs, half ? 1 : 0, &packed)
      let at = put(packed)
      if !half && weir_strassen_fits(outputs, inputs) != 0 {
        var halves = [Float](repeating: 0, count: weir_strassen_floats(outputs, inputs))
        weir_strassen_pack(numbers, outputs, inputs, &halves)
        _ = put(halves)
      }
      return at
    }
    let words = put(try read("embeddings.word_embeddings.weight", vocabulary, width))
    let types = try read("embeddings.token_type_embeddings.weight", 2, width)
    var places = try read("embeddings.position_embeddings.weight", shape.max_position_embeddings, width)
    for index in places.indices { places[index] += types[index % width] }
    let positions = put(places)
    let norm = put(try read("embeddings.LayerNorm.weight", width))
    let normBias = put(try read("embeddings.LayerNorm.bias", width))
    var parts: [[Int]] = []
    for layer in 0..<shape.num_hidden_layers {
      let p = "encoder.layer.\(layer)."
      let own = ["query", "key", "value"].map { p + "attention.self.\($0)." }
      parts.append([
        matrix(try own.flatMap { try read($0 + "weight", width, width) }, 3 * width, width),
        put(try own.flatMap { try read($0 + "bias", width) }),
        matrix(try read(p + "attention.output.dense.weight", width, width), width, width),
        put(try read(p + "attention.output.dense.bias", width)),
        put(try read(p + "attention.output.LayerNorm.weight", width)), put(try read(p + "attention.output.LayerNorm.bias", width)),
        matrix(try read(p + "intermediate.dense.weight", inner, width), inner, width), put(try read(p + "intermediate.dense.bias", inner)),
        matrix(try read(p + "output.dense.weight", width, inner), width, inner), put(try read(p + "output.dense.bias", width)),
        put(try read(p + "output.LayerNorm.weight", width)), put(try read(p + "output.LayerNorm.bias", width)),
      ])
    }
    // Nothing throws from here on, so deinit frees the memory.
    let block = UnsafeMutableRawPointer.allocate(byteCount: values.count * 4, alignment: 64).bindMemory(
      to: Float.self, capacity: values.count)
    block.initialize(from: values, count: values.count)
    room = block
    layers = .allocate(capacity: parts.count)
    for (index, part) in parts.enumerated() {
      let at = part.map { UnsafePointer(block + $0) }
      (layers + index).initialize(
        to: weir_encoder_layer(
          qkv: at[0], qkvBias: at[1], join: at[2], joinBias: at[3], norm: at[4], normBias: at[5], up: at[6], upBias: at[7], down: at[8],
          downBias: at[9], lastNorm: at[10], lastNormBias: at[11]))
    }
    model = .allocate(capacity: 1)
    model.initialize(
      to: weir_encoder(
        width: width, heads: width / 32, inner: inner, layers: parts.count, epsilon: Float(shape.layer_norm_eps), half: half ? 1 : 0,
        words: room + words, places: room + positions, norm: room + norm, normBias: room + normBias, layer: layers))
  }

  deinit {
    model.deallocate()
    layers.deallocate()
    room.deallocate()
  }

  /// - Parameters:
  ///   - windows: WordPiece ids, [CLS] and [SEP] included; 1…`longest` each.
  /// - Returns: [windows, dimensions], row-major. A vector does not depend on the other windows.
  package func encode(_ windows: [[Int32]], pool: ThreadPool) throws -> [Float] {
    for window in windows {
      guard (1...longest).contains(window.count), window.allSatisfy({ $0 >= 0 && $0 < vocabulary }) else {
        throw WeirError(
          "encoder", "a window has \(window.count) pieces, or a piece outside the vocabulary of \(vocabulary)",
          remedy: "use the tokenizer of the encoder")
      }
    }
    // Windows of similar length share a product of about 256 rows. The longest go first, so that threads finish at about the same time.
    let order = windows.indices.sorted { (windows[$1].count, $0) < (windows[$0].count, $1) }
    var groups: [[Int]] = []
    var rows = 0
    for index in order {
      if groups.isEmpty || rows + windows[index].count > 264 {
        groups.append([])
        rows = 0
      }
      groups[groups.count - 1].append(index)
      rows += windows[index].count
    }
    let width = dimensions
    var result = [Float](repeating: 0, count: windows.count * width)
    result.withUnsafeMutableBufferPointer { result in
      guard let base = result.baseAddress else { return }
      nonisolated(unsafe) let out = base
      pool.run(groups.count) { number in
        let group = groups[number]
        let pieces = group.flatMap { windows[$0] }
        let lengths = group.map { UInt32(windows[$0].count) }
        var vectors = [Float](repeating: 0, count: group.count * width)
        weir_encoder_run(model, pieces, lengths, group.count, &vectors)
        for (row, index) in group.enumerated() {
          for j in 0..<width { out[index * width + j] = vectors[row * width + j] }
        }
      }
    }
    return result
  }
}
