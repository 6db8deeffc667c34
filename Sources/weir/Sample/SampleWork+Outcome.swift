import Artifacts
import Foundation
import Primitives
import Sampling
import Storage

extension SampleWork {
  /// The report and the tables.
  func outcome(_ made: Made) throws -> Outcome {
    let report = SamplingReport(made.mixture)
    var lines: [String] = []
    if let depths = made.depths {
      lines.append(
        "  depth \(made.mixture.depth) of "
          + depths.map { "\($0.depth) (\(String(format: "%+.3f", $0.gain)))" }.joined(separator: ", ")
          + ": nats a held-out window of the seed over the corpus's shares")
    }
    var value = try JSONValue(encoding: report)
    if let folder = made.keptScores { lines.append("  by the scores of an earlier call, in \(folder)") }
    if let selection = made.selection {
      lines.append(
        "  \(Format.count(selection.windows)) of \(Format.count(dataset.windowCount)) windows kept, "
          + "\(Format.count(selection.tokens)) tokens, score \(String(format: "%.4g", selection.threshold)) or more, "
          + String(format: "%.2f expected epochs", made.mixture.clusters.last?.epochs ?? 0))
      value.set("kept", .object(["windows": .number(Double(selection.windows)), "tokens": .number(Double(selection.tokens))]))
      if let kept = keptByLeaf(selection) { lines.append(try table(kept)) }
    } else if made.mixture.method == "specialist" {
      lines.append(
        "  the seed's \(Format.count(made.mixture.clusters[0].windows)) windows, \(Format.count(made.mixture.clusters[0].tokens)) tokens, "
          + String(format: "%.2f expected epochs", made.mixture.clusters[0].epochs))
    } else {
      lines.append(
        "  \(report.drawnClusters) of \(report.clusters) clusters drawn, effective sample size "
          + "\(Format.count(Int(report.effectiveSampleSize))) windows, "
          + String(format: "largest expected epochs %.2f (leaf %d), ", report.largestEpochs, report.largestEpochsLeaf)
          + String(format: "moved by cap and smoothing %.1f %%", report.moved * 100))
      lines.append(try table(report, made.mixture))
    }
    return Outcome(report: value, lines: lines)
  }

  /// How many lines a table has without `--explain`.
  private var shown: Int { command.explain ? Int.max : 8 }

  /// A line per cluster of a mixture over a tree's leaves.
  private func table(_ report: SamplingReport, _ mixture: Mixture) throws -> String {
    let terms = try terms()
    let rows = report.rows.prefix(shown).map { row in
      let cluster = mixture.clusters[row.leaf]
      var cells = [
        "\(row.leaf)", String(format: "%.4f", row.seed), String(format: "%.4f", row.general), String(format: "%.4f", row.weight),
        String(format: "%.1f", row.importance), String(format: "%.2f", row.epochs),
      ]
      if command.explain {
        cells.insert(cluster.seedHigh.map { String(format: "%.4f–%.4f", cluster.seedLow ?? 0, $0) } ?? "–", at: 2)
        cells.append(terms[row.leaf] ?? "")
      }
      return cells
    }
    var header = ["leaf", "P(c|Ds)", "P(c|Dg)", "weight", "weight/P(c|Dg)", "epochs"]
    if command.explain {
      header.insert("smoothed, 90 %", at: 2)
      header.append("terms")
    }
    return TextTable(header, rows: rows).text()
  }

  /// A line per cluster of what a scoring method keeps: its share of the draw beside the corpus's.
  private func table(_ kept: [Int]) throws -> String {
    let terms = try terms()
    let shares = clusters?.general.shares ?? []
    let total = Double(max(1, kept.reduce(0, +)))
    let order = kept.indices.filter { kept[$0] > 0 }.sorted { kept[$0] != kept[$1] ? kept[$0] > kept[$1] : $0 < $1 }
    let rows = order.prefix(shown).map { leaf in
      let share = Double(kept[leaf]) / total
      let cells = [
        "\(leaf)", String(format: "%.4f", shares[leaf]), String(format: "%.4f", share),
        String(format: "%.1f", shares[leaf] > 0 ? share / shares[leaf] : 0),
      ]
      return command.explain ? cells + [terms[leaf] ?? ""] : cells
    }
    return TextTable(["leaf", "P(c|Dg)", "weight", "weight/P(c|Dg)"] + (command.explain ? ["terms"] : []), rows: rows).text()
  }

  /// The words that tell each leaf from its parent, with `--explain`.
  private func terms() throws -> [Int: String] {
    guard command.explain, let clusters else { return [:] }
    let report = try ClusterShowCommand.report(
      dataset: dataset.path, tree: clusters.stored.path, depth: nil, samples: 0, session: session)
    let leaves = report.nodes.filter { $0.leaf >= 0 }.map { ($0.leaf, $0.terms.prefix(4).map(\.word).joined(separator: " ")) }
    return Dictionary(leaves, uniquingKeysWith: { first, _ in first })
  }
}
