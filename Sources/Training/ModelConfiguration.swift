import Primitives

/// The shape of a Llama-architecture decoder: RMSNorm, RoPE, SwiGLU, grouped-query attention.
package struct ModelConfiguration: Codable, Sendable, Equatable {
  /// The projections of attention that have biases.
  package enum Biases: String, Codable, Sendable {
    /// Queries, keys and values (Qwen 2).
    case qkv
    /// The output too (`attention_bias` of Llama and Qwen 3).
    case all
  }

  /// The number of token ids.
  package var vocabulary: Int
  /// Width of the residual stream.
  package var width: Int
  package var layers: Int
  /// Query heads.
  package var heads: Int
  /// Key–value heads; divides `heads`.
  package var kvHeads: Int
  /// Width of a head; even.
  package var headWidth: Int
  /// Hidden width of the feed-forward layers.
  package var ffn: Int
  /// The maximum number of positions.
  package var sequence: Int
  /// θ of RoPE.
  package var ropeTheta: Double
  /// ε of RMSNorm.
  package var normEpsilon: Double
  /// Whether the output matrix is the embedding matrix.
  package var tiedEmbeddings: Bool
  /// QK-norm: whether the queries and keys of each head are normalized before RoPE (Qwen 3, Yang et al. 2505.09388 §2).
  package var qkNorm: Bool {
    get { normalizedHeads ?? false }
    set { normalizedHeads = newValue ? true : nil }
  }
  /// nil instead of false, so that the JSON of models without QK-norm, and its checksum, do not contain the member.
  private var normalizedHeads: Bool?
  /// nil for no biases.
  package var biases: Biases?
  /// nil for plain RoPE.
  package var ropeScaling: RotaryScaling?

  enum CodingKeys: String, CodingKey {
    case vocabulary, width, layers, heads, kvHeads, headWidth, ffn, sequence, ropeTheta, normEpsilon, tiedEmbeddings, biases
    case ropeScaling
    case normalizedHeads = "normalisedHeads"
  }

  /// - Parameters:
  ///   - kvHeads: by default `heads`.
  ///   - headWidth: by default `width / heads`.
  ///   - ffn: by default 8/3 of the width, rounded up to a multiple of 16.
  package init(
    vocabulary: Int, width: Int, layers: Int, heads: Int, kvHeads: Int? = nil, headWidth: Int? = nil, ffn: Int? = nil, sequence: Int = 256,
    ropeTheta: Double = 10_000, normEpsilon: Double = 1e-5, tiedEmbeddings: Bool = true, qkNorm: Bool = false
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

  /// The largest value of a size, by its property.
  package static func most(_ property: String) -> Int {
    switch property {
    case "vocabulary": 1 << 24
    case "width": 1 << 16
    case "headWidth": 1 << 12
    case "ffn": 1 << 18
    case "sequence": 1 << 20
    default: 1 << 10
    }
  }

  /// Throws `WeirError` if the shape is invalid.
  /// - Parameter place: the place to report in the error.
  package func validate(place: String) throws {
    func require(_ condition: Bool, _ reason: String) throws {
      if !condition { throw WeirError(place, reason) }
    }
    let sizes = [
      ("vocabulary", "vocabulary", vocabulary), ("width", "width", width), ("layers", "layers", layers), ("heads", "heads", heads),
      ("kvHeads", "kv heads", kvHeads), ("headWidth", "head width", headWidth), ("ffn", "ffn", ffn), ("sequence", "sequence", sequence),
    ]
    for (property, name, value) in sizes {
      let most = Self.most(property)
      try require(value > 0 && value <= most, "\(name) is \(value), not in 1…\(most)")
    }
    try require(heads % kvHeads == 0, "the number of heads (\(heads)) must be a multiple of the number of key–value heads (\(kvHeads))")
    try require(headWidth % 2 == 0, "the head width must be even for RoPE, not \(headWidth)")
    try require(ropeTheta.isFinite && ropeTheta > 0, "RoPE's theta must be positive, not \(ropeTheta)")
    try require(normEpsilon.isFinite && normEpsilon >= 0, "the norm's epsilon must not be negative: \(normEpsilon)")
    try ropeScaling?.validate(place: place, headWidth: headWidth)
  }

  /// Total width of the query heads.
  package var queryWidth: Int { heads * headWidth }
  /// Total width of the key heads, and of the value heads.
  package var keyWidth: Int { kvHeads * headWidth }
  package var qkvWidth: Int { queryWidth + 2 * keyWidth }

  package var layerParameters: Int {
    layerMatrices + 2 * width + (qkNorm ? 2 * headWidth : 0) + (biases == nil ? 0 : qkvWidth) + (biases == .all ? width : 0)
  }
  /// Parameters of the matrices of one layer.
  var layerMatrices: Int { qkvWidth * width + queryWidth * width + 3 * ffn * width }
  /// Parameters without the embedding and the output matrix.
  package var nonEmbeddingParameters: Int { layers * layerParameters + width }
  package var parameters: Int { nonEmbeddingParameters + vocabulary * width * (tiedEmbeddings ? 1 : 2) }

  /// Floating-point operations per training token: 6 per weight of a matrix product (2 forward, 4 backward; Kaplan et al. 2001.08361 §2.1),
  /// and 6·heads·headWidth·context per layer of causal attention.
  /// - Parameter context: tokens per row, by default and at most the model's positions.
  package func flopsPerToken(context: Int? = nil) -> Double {
    let products = Double(layers * layerMatrices + vocabulary * width)
    return 6 * products + 6 * Double(layers * queryWidth) * Double(min(context ?? sequence, sequence))
  }
}

extension ModelConfiguration {
  package struct Preset: Sendable {
    package let name: String
    /// The shape, with a vocabulary of 4,096.
    package let configuration: ModelConfiguration
  }

  /// The presets, smallest first.
  package static let presets: [Preset] = [
    ("nano", 64, 2, 2, 176, 256), ("micro", 128, 4, 4, 352, 256), ("mini", 256, 4, 4, 704, 256), ("tiny", 384, 8, 6, 1_024, 512),
    ("small", 512, 12, 8, 1_376, 512), ("medium", 768, 12, 12, 2_048, 1_024), ("base", 1_024, 24, 16, 2_736, 1_024),
    ("large", 1_536, 24, 16, 4_096, 1_024), ("1.3b", 2_048, 24, 16, 5_504, 2_048),
  ].map { name, width, layers, heads, ffn, sequence in
    Preset(
      name: name,
      configuration: ModelConfiguration(vocabulary: 4_096, width: width, layers: layers, heads: heads, ffn: ffn, sequence: sequence))
  }

  /// A preset with another vocabulary and sequence length.
  /// - Throws: `WeirError` if there is no such preset.
  package static func preset(_ name: String, vocabulary: Int, sequence: Int? = nil) throws -> ModelConfiguration {
    guard var found = presets.first(where: { $0.name == name.lowercased() })?.configuration else {
      throw WeirError("preset", "there is no preset \(name)", remedy: "use one of " + presets.map(\.name).joined(separator: ", "))
    }
    found.vocabulary = vocabulary
    if let sequence { found.sequence = sequence }
    try found.validate(place: "preset")
    return found
  }
}
