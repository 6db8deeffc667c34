import Primitives

/// The shape of a Llama-architecture decoder: RMSNorm, rotary positions, SwiGLU, grouped-query attention.
package struct ModelConfiguration: Codable, Sendable, Equatable {
  /// Token ids.
  package var vocabulary: Int
  /// Values of a position in the residual stream.
  package var width: Int
  /// Decoder layers.
  package var layers: Int
  /// Query heads.
  package var heads: Int
  /// Key–value heads; divides `heads`.
  package var kvHeads: Int
  /// Values of a head; even.
  package var headWidth: Int
  /// Values of the feed-forward layer.
  package var ffn: Int
  /// The most positions of a sequence.
  package var sequence: Int
  /// The base of the rotary wavelengths.
  package var ropeTheta: Double
  /// The number under the norm's root.
  package var normEpsilon: Double
  /// Whether the output matrix is the embedding.
  package var tiedEmbeddings: Bool
  /// Whether each head's queries and keys pass an RMSNorm of their own before they are rotated (Qwen 3, Yang et al. 2505.09388 §2).
  package var qkNorm: Bool {
    get { normalisedHeads ?? false }
    set { normalisedHeads = newValue ? true : nil }
  }
  /// Absent in files of models without these norms, so that those read and fingerprint as ever.
  private var normalisedHeads: Bool?

  /// Creates a configuration.
  /// - Parameters:
  ///   - vocabulary: token ids.
  ///   - width: values of a position.
  ///   - layers: decoder layers.
  ///   - heads: query heads.
  ///   - kvHeads: key–value heads, by default as many as query heads.
  ///   - headWidth: values of a head, by default `width / heads`.
  ///   - ffn: feed-forward values, by default 8/3 of the width rounded up to a multiple of 16.
  ///   - sequence: the most positions.
  ///   - ropeTheta: base of the rotary wavelengths.
  ///   - normEpsilon: number under the norm's root.
  ///   - tiedEmbeddings: whether the output matrix is the embedding.
  ///   - qkNorm: whether queries and keys are normalised.
  package init(
    vocabulary: Int, width: Int, layers: Int, heads: Int, kvHeads: Int? = nil, headWidth: Int? = nil, ffn: Int? = nil,
    sequence: Int = 256, ropeTheta: Double = 10_000, normEpsilon: Double = 1e-5, tiedEmbeddings: Bool = true,
    qkNorm: Bool = false
  ) {
    self.vocabulary = vocabulary
    self.width = width
    self.layers = layers
    self.heads = heads
    self.kvHeads = kvHeads ?? heads
    self.headWidth = headWidth ?? width / max(1, heads)
    self.ffn = ffn ?? (width * 8 / 3 + 15) / 16 * 16
    self.sequence = sequence
    self.ropeTheta = ropeTheta
    self.normEpsilon = normEpsilon
    self.tiedEmbeddings = tiedEmbeddings
    self.qkNorm = qkNorm
  }

  /// Throws where the numbers make no model.
  /// - Parameter place: the file or flag to name in the error.
  package func validate(place: String) throws {
    func require(_ condition: Bool, _ reason: String) throws {
      if !condition { throw WeirError(place, reason) }
    }
    let bounds: [(String, Int, Int)] = [
      ("vocabulary", vocabulary, 1 << 24), ("width", width, 1 << 16), ("layers", layers, 1 << 10), ("heads", heads, 1 << 10),
      ("kv heads", kvHeads, 1 << 10), ("head width", headWidth, 1 << 12), ("ffn", ffn, 1 << 18), ("sequence", sequence, 1 << 20),
    ]
    for (name, value, most) in bounds { try require(value > 0 && value <= most, "\(name) is \(value), not in 1…\(most)") }
    try require(heads % kvHeads == 0, "\(heads) heads are no multiple of \(kvHeads) key–value heads")
    try require(headWidth % 2 == 0, "a head of \(headWidth) values cannot be rotated; it must be even")
    try require(ropeTheta.isFinite && ropeTheta > 0, "rope theta \(ropeTheta) is not positive")
    try require(normEpsilon.isFinite && normEpsilon >= 0, "norm epsilon \(normEpsilon) is negative")
  }

  /// Values of all query heads.
  package var queryWidth: Int { heads * headWidth }
  /// Values of all key (or value) heads.
  package var keyWidth: Int { kvHeads * headWidth }
  /// Values of queries, keys and values together.
  package var qkvWidth: Int { queryWidth + 2 * keyWidth }

  /// Parameters of one layer.
  package var layerParameters: Int { layerMatrices + 2 * width + (qkNorm ? 2 * headWidth : 0) }
  /// Parameters of one layer's matrices.
  var layerMatrices: Int { qkvWidth * width + queryWidth * width + 3 * ffn * width }
  /// Parameters without the embedding and the output matrix.
  package var nonEmbeddingParameters: Int { layers * layerParameters + width }
  /// All parameters.
  package var parameters: Int { nonEmbeddingParameters + vocabulary * width * (tiedEmbeddings ? 1 : 2) }

  /// Floating-point operations of a training step for each token at a context of `context`: 6 for every weight of a matrix product
  /// (2 forward, 4 backward; Kaplan et al. 2001.08361 §2.1) and 6·heads·headWidth·context a layer of causal attention.
  package func flopsPerToken(context: Int? = nil) -> Double {
    let products = Double(layers * layerMatrices + vocabulary * width)
    return 6 * products + 6 * Double(layers * queryWidth) * Double(min(context ?? sequence, sequence))
  }
}

extension ModelConfiguration {
  /// A named shape.
  package struct Preset: Sendable {
    /// Its name.
    package let name: String
    /// The shape, at a vocabulary of 4,096.
    package let configuration: ModelConfiguration
  }

  /// The named shapes, smallest first.
  package static let presets: [Preset] = [
    ("nano", 64, 2, 2, 176, 256), ("micro", 128, 4, 4, 352, 256), ("mini", 256, 4, 4, 704, 256), ("tiny", 384, 8, 6, 1_024, 512),
    ("small", 512, 12, 8, 1_376, 512), ("medium", 768, 12, 12, 2_048, 1_024), ("base", 1_024, 24, 16, 2_736, 1_024),
    ("large", 1_536, 24, 16, 4_096, 1_024), ("1.3b", 2_048, 24, 16, 5_504, 2_048),
  ].map { name, width, layers, heads, ffn, sequence in
    Preset(
      name: name,
      configuration: ModelConfiguration(vocabulary: 4_096, width: width, layers: layers, heads: heads, ffn: ffn, sequence: sequence))
  }

  /// The shape called `name` with a vocabulary and, if given, another sequence length.
  /// - Throws: `WeirError` with the known names.
  package static func preset(_ name: String, vocabulary: Int, sequence: Int? = nil) throws -> ModelConfiguration {
    guard var found = presets.first(where: { $0.name == name.lowercased() })?.configuration else {
      throw WeirError("--preset", "no preset is called \(name)", remedy: "one of " + presets.map(\.name).joined(separator: ", "))
    }
    found.vocabulary = vocabulary
    if let sequence { found.sequence = sequence }
    try found.validate(place: "--preset")
    return found
  }
}
