import Foundation
import Pipeline
import Primitives
import Storage
import Training

/// A split against the full model on held-out text, by domain.
struct SplitEvaluation {
  var split: String
  var session: Session

  /// One domain.
  struct Row: Codable, Equatable {
    var name: String
    var terms: [String]
    var windows: Int
    /// Held-out tokens.
    var tokens: Int
    /// Tokens that the branch was trained on.
    var branch_tokens: Int
    var full: Double?
    var split: Double
  }

  /// The whole table.
  struct Report: Codable, Equatable {
    /// Perplexities of the mean log-loss, over domains.
    var mean_perplexity: [String: Double]
    /// The same over tokens.
    var token_perplexity: [String: Double]
    var by_domain: [Row]
    var trunk_tokens: Int
    var branch_tokens: [Int]
    var router: String
  }

  /// Evaluates on held-out documents.
  func report(data: [String]) throws -> Report {
    guard Files.exists(split + "/split.json") else {
      throw WeirError(split, "is no split (no split.json)", remedy: "make one with weir split, or leave out --router")
    }
    let file = try JSONFile.read(SplitFile.self, from: split + "/split.json")
    let domains = try Domains(dataset: file.dataset, tree: file.tree, level: file.level, threads: session.threads)
    guard domains.stored.fingerprint == file.treeFingerprint else {
      throw WeirError(file.tree, "is another tree than the split was made with", remedy: "make the split again")
    }
    let sets = try domains.heldOutSets(data)
    let full = try file.full.map { try Evaluator(folder: split + "/" + $0, threads: session.threads) }
    var rows: [Row] = []
    var losses: [(split: Double, full: Double?, tokens: Int)] = []
    try session.with("eval") { progress in
      for (index, set) in sets.enumerated() {
        progress.update(Double(index), of: Double(sets.count), unit: "domains")
        guard let domain = (0..<domains.count).first(where: { domains.name($0) == set.name }) else { continue }
        let branch = try Evaluator(folder: split + "/" + file.branches[domain], threads: session.threads).evaluate(set.documents)
        let general = try full?.evaluate(set.documents)
        losses.append((branch.loss, general?.loss, branch.tokens))
        rows.append(
          Row(
            name: set.name, terms: file.terms[domain], windows: set.documents.count, tokens: branch.tokens,
            branch_tokens: file.branchTokens[domain], full: general?.perplexity,
            split: branch.perplexity))
      }
    }
    func mean(_ weight: ((split: Double, full: Double?, tokens: Int)) -> Double) -> [String: Double] {
      let sum = losses.reduce(0) { $0 + weight($1) }
      var result = ["split": exp(losses.reduce(0) { $0 + $1.split * weight($1) } / sum)]
      if full != nil { result["full"] = exp(losses.reduce(0) { $0 + ($1.full ?? 0) * weight($1) } / sum) }
      return result
    }
    return Report(
      mean_perplexity: mean { _ in 1 }, token_perplexity: mean { Double($0.tokens) }, by_domain: rows, trunk_tokens: file.trunkTokens,
      branch_tokens: file.branchTokens, router: "nearest centroid")
  }

  /// The table, as a command reports it.
  func outcome(data: [String]) throws -> Outcome {
    let report = try report(data: data)
    func text(_ value: Double?) -> String { value.map { String(format: "%.1f", $0) } ?? "–" }
    let rows = report.by_domain.map { [$0.name, "\($0.windows)", text($0.full), text($0.split), $0.terms.joined(separator: " ")] }
    return Outcome(
      report: try JSONValue(encoding: report),
      lines: [
        TextTable(["domain", "windows", "full", "split", "terms"], rows: rows).text(),
        "  mean over domains: full \(text(report.mean_perplexity["full"])), split \(text(report.mean_perplexity["split"])); over tokens: full \(text(report.token_perplexity["full"])), split \(text(report.token_perplexity["split"]))",
      ])
  }
}
