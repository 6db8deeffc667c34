import Foundation
import Primitives
import Storage
import Workflows

extension SampleCommand {
  /// The report, and lines and tables for the user.
  func outcome(_ result: SampleResult) throws -> Outcome {
    let mixture = result.mixture, report = result.report.mixture
    var lines: [String] = []
    if let depths = result.depths {
      lines.append(
        "  depth \(mixture.depth), from held-out gains over the corpus in nats/window: "
          + depths.map { "\($0.depth) (\(String(format: "%+.3f", $0.gain)))" }.joined(separator: ", "))
    }
    for seed in result.report.coverage ?? [] {
      guard let known = seed.known else { continue }
      lines.append(
        "  \(seed.name): "
          + String(format: "%.1f %% of its letter pairs occur in ", known * 100)
          + (seed.far.map { String(format: "its clusters, %.1f %% of its windows are far from them", $0 * 100) } ?? "the corpus"))
    }
    if let folder = result.reusedScores { lines.append("  reusing the scores in \(folder)") }
    if let kept = result.kept {
      lines.append(
        "  \(Format.count(kept.windows)) of \(Format.count(result.scores?.count ?? 0)) windows kept, "
          + "\(Format.count(kept.tokens)) tokens, score \(String(format: "%.4g", result.threshold ?? 0)) or higher, "
          + String(format: "%.2f expected epochs", mixture.clusters.last?.epochs ?? 0))
      if let kept = result.keptByLeaf { lines.append(table(kept, result)) }
    } else if mixture.method == "specialist" {
      lines.append(
        "  the specialist seed's \(Format.count(mixture.clusters[0].windows)) windows, \(Format.count(mixture.clusters[0].tokens)) tokens, "
          + String(format: "%.2f expected epochs", mixture.clusters[0].epochs))
    } else {
      lines.append(
        "  \(report.drawnClusters) of \(report.clusters) clusters sampled, effective sample size "
          + "\(Format.count(Int(report.effectiveSampleSize))) windows, "
          + String(format: "largest expected epochs %.2f (leaf %d), ", report.largestEpochs, report.largestEpochsLeaf)
          + String(format: "%.1f %% moved by cap and smoothing", report.moved * 100))
      lines.append(table(result))
    }
    return Outcome(report: try JSONValue(encoding: result.report), lines: lines)
  }

  /// The number of lines of a table.
  private var shown: Int { explain ? Int.max : 8 }

  /// One line per cluster of a mixture over the leaves of a tree.
  private func table(_ result: SampleResult) -> String {
    let rows = result.report.mixture.rows.prefix(shown).map { row in
      let cluster = result.mixture.clusters[row.leaf]
      var cells = [
        "\(row.leaf)", String(format: "%.4f", row.seed), String(format: "%.4f", row.general), String(format: "%.4f", row.weight),
        String(format: "%.1f", row.importance), Format.count(Int(row.runTokens)), String(format: "%.2f", row.epochs),
        Format.percent(row.repeatedShare, 1),
      ]
      if explain {
        cells.insert(cluster.seedHigh.map { String(format: "%.4f–%.4f", cluster.seedLow ?? 0, $0) } ?? "–", at: 2)
        cells.append(terms(row.leaf, result))
      }
      return cells
    }
    var header = ["leaf", "P(c|Ds)", "P(c|Dg)", "weight", "weight/P(c|Dg)", "tokens", "epochs", "repeated"]
    if explain {
      header.insert("smoothed, 90 %", at: 2)
      header.append("terms")
    }
    return TextTable(header, rows: rows).text()
  }

  /// One line per cluster of what a scoring method keeps: its share of the mixture beside that of the corpus.
  private func table(_ kept: [Int], _ result: SampleResult) -> String {
    let shares = result.generalShares ?? []
    let total = Double(max(1, kept.reduce(0, +)))
    let order = kept.indices.filter { kept[$0] > 0 }.sorted { kept[$0] != kept[$1] ? kept[$0] > kept[$1] : $0 < $1 }
    let rows = order.prefix(shown).map { leaf in
      let share = Double(kept[leaf]) / total
      let cells = [
        "\(leaf)", String(format: "%.4f", shares[leaf]), String(format: "%.4f", share),
        String(format: "%.1f", shares[leaf] > 0 ? share / shares[leaf] : 0),
      ]
      return explain ? cells + [terms(leaf, result)] : cells
    }
    return TextTable(["leaf", "P(c|Dg)", "weight", "weight/P(c|Dg)"] + (explain ? ["terms"] : []), rows: rows).text()
  }

  private func terms(_ leaf: Int, _ result: SampleResult) -> String { (result.terms[leaf] ?? []).joined(separator: " ") }
}
