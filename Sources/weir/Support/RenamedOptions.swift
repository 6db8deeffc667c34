/// Options that were renamed. For one version, the old names are accepted and not shown.
enum RenamedOptions {
  private static let current = [
    "accumulate": "grad-accum", "arity": "branching-factor", "batch": "batch-size", "clip": "grad-clip", "decay": "decay-fraction",
    "draws": "row-starts", "guard": "loss-guard", "minimum-leaf": "min-leaf-size", "no-guard": "no-loss-guard", "parts": "chunks",
    "rollbacks": "max-rollbacks", "spike": "spike-threshold", "warmup": "warmup-fraction",
  ]

  /// A command line with the present names in place of the old ones.
  static func resolve(_ arguments: [String]) -> [String] {
    arguments.map { argument in
      guard argument.hasPrefix("--") else { return argument }
      let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = parts.first, let new = current[String(name)] else { return argument }
      return "--" + ([new] + parts.dropFirst().map(String.init)).joined(separator: "=")
    }
  }
}
