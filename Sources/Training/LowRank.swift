import Primitives

/// Low-rank adaptation (LoRA; Hu et al. 2106.09685): only a low-rank update (α/r)·B·A of some of the layers' matrices is trained.
package struct LowRank: Codable, Sendable, Equatable {
  /// A matrix of each layer, by the name of its module in transformers.
  package enum Target: String, Codable, Sendable, CaseIterable {
    case query = "q_proj"
    case key = "k_proj"
    case value = "v_proj"
    case output = "o_proj"
    case gate = "gate_proj"
    case up = "up_proj"
    case down = "down_proj"

    /// The name of its module within a layer.
    var module: String {
      switch self {
      case .query, .key, .value, .output: "self_attn." + rawValue
      case .gate, .up, .down: "mlp." + rawValue
      }
    }
  }

  /// r: the rows of A and the columns of B.
  package var rank: Int
  /// α: the update is scaled by α/r.
  package var alpha: Double
  /// The probability with which an input of A is zeroed in training; nil for 0.
  package var dropout: Double?
  /// nil for all matrices of the layers, PEFT's `all-linear`.
  package var targets: [Target]?
  /// The fingerprint of the adapter that training starts from; nil for a new one.
  package var initial: String?

  package init(rank: Int = 8, alpha: Double = 16, dropout: Double? = nil, targets: [Target]? = nil) {
    (self.rank, self.alpha, self.dropout, self.targets) = (rank, alpha, dropout, targets)
  }

  /// The adapted matrices, in the order of `Target`.
  package var adapted: [Target] { targets.map { chosen in Target.allCases.filter(chosen.contains) } ?? Target.allCases }

  func validate() throws {
    guard (1...4_096).contains(rank) else { throw WeirError("lowRank.rank", "must be in 1…4096, not \(rank)") }
    guard alpha.isFinite, alpha > 0 else { throw WeirError("lowRank.alpha", "must be positive, not \(alpha)") }
    if let dropout, !(0..<1).contains(dropout) { throw WeirError("lowRank.dropout", "must be in 0..<1, not \(dropout)") }
    if let targets {
      guard !targets.isEmpty else { throw WeirError("lowRank.targets", "is an empty list of matrices") }
      if let twice = targets.first(where: { target in targets.count { $0 == target } > 1 }) {
        throw WeirError("lowRank.targets", "names \(twice.rawValue) twice")
      }
    }
  }

  /// Floats in the factors of one layer.
  func layerCount(_ c: ModelConfiguration) -> Int {
    adapted.reduce(0) { sum, target in
      let (from, to) = c.shape(target)
      return sum + rank * (from + to)
    }
  }

  /// Floats in all factors.
  package func parameters(_ c: ModelConfiguration) -> Int { layerCount(c) * c.layers }
}

extension ModelConfiguration {
  /// The inputs and outputs of a matrix.
  func shape(_ target: LowRank.Target) -> (from: Int, to: Int) {
    switch target {
    case .query: (width, queryWidth)
    case .key, .value: (width, keyWidth)
    case .output: (queryWidth, width)
    case .gate, .up: (width, ffn)
    case .down: (ffn, width)
    }
  }
}
