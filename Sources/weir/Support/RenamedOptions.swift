/// Command lines as the parser takes them: options that were renamed, and subcommands of commands that have arguments of their own.
enum RenamedOptions {
  /// Accepted for one version, and not shown.
  private static let current = [
    "accumulate": "grad-accum", "arity": "branching-factor", "batch": "batch-size", "clip": "grad-clip", "decay": "decay-fraction",
    "draws": "row-numbers", "guard": "loss-guard", "minimum-leaf": "min-leaf-size", "no-guard": "no-loss-guard", "parts": "chunks",
    "rollbacks": "max-rollbacks", "row-starts": "row-numbers", "spike": "spike-threshold", "warmup": "warmup-fraction",
  ]

  /// A command line with the present names in place of the old ones, and with `--lr=-1` for two arguments `--lr` and `-1`: the parser would
  /// take the number for another option and report a missing value. `finetune sweep` is one word, because the parser would take `sweep` for the
  /// model.
  static func resolve(_ arguments: [String]) -> [String] {
    var joined: [String] = [], arguments = arguments
    if arguments.starts(with: ["finetune", "sweep"]) { arguments.replaceSubrange(0..<2, with: ["finetune-sweep"]) }
    for argument in arguments {
      let isNegative = argument.hasPrefix("-") && argument.dropFirst().first.map { "0123456789.".contains($0) } ?? false
      if isNegative, let option = joined.last, option.hasPrefix("--"), option.count > 2, !option.contains("=") {
        joined[joined.count - 1] = "\(option)=\(argument)"
      } else {
        joined.append(argument)
      }
    }
    return joined.map { argument in
      guard argument.hasPrefix("--") else { return argument }
      let parts = argument.dropFirst(2).split(separator: "=", maxSplits: 1, omittingEmptySubsequences: false)
      guard let name = parts.first, let new = current[String(name)] else { return argument }
      return "--" + ([new] + parts.dropFirst().map(String.init)).joined(separator: "=")
    }
  }
}
