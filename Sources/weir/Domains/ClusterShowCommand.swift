import ArgumentParser
import Artifacts
import Primitives
import Storage
import Tokens
import Workflows

/// `weir cluster show TREE --dataset DATASET`.
struct ClusterShowCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "show",
    abstract: "Show the size, characteristic terms and purity of each cluster.",
    discussion: """
      Purity and mutual information are measured against metadata.domain of the documents (else their source); no stage uses \
      these labels.

      EXAMPLES:
        weir cluster show out/tree --dataset out/dataset --depth 1
      """)

  @Argument(help: ArgumentHelp("Tree folder.", valueName: "tree"))
  var tree: String

  @Option(help: ArgumentHelp("Token dataset with an assignment to the tree.", valueName: "dataset"))
  var dataset: String

  @Option(help: ArgumentHelp("Number of levels to show. (default: all)", valueName: "n"))
  var depth: Int?

  @Option(help: ArgumentHelp("Sample texts per cluster, shown with --depth.", valueName: "n"))
  var samples = 1

  @OptionGroup var common: CommonOptions

  func validate() throws {
    guard samples >= 0, depth ?? 1 >= 1 else { throw ValidationError("--samples must be at least 0, and --depth at least 1") }
  }

  var inputs: [String] { [tree, dataset, DatasetFolder(dataset).assignment(tree: tree)] }

  func perform(_ session: Session) throws -> Outcome {
    let stored = try StoredTree(tree)
    let report = try session.with("show") { progress in
      try ClusterContents.report(dataset: TokenDataset(dataset), tree: stored, depth: depth, samples: samples, progress: progress)
    }
    var lines = [
      "  \(Format.count(report.windows)) windows, \(Format.short(Double(report.tokens))) tokens, \(report.leaves) leaves (\(report.emptyLeaves) empty)"
        + (report.purity.map { "; purity \(Format.fixed($0, 2))" } ?? "")
        + (report.mutualInformation.map { ", mutual information with the label \(Format.fixed($0, 2))" } ?? "")
    ]
    let rows = report.nodes.filter { $0.level > 0 }.map { node in
      [
        String(repeating: " ", count: node.level - 1) + stored.tree.name(of: node.node), Format.count(node.windows),
        Format.percent(node.share, 1), Format.fixed(node.purity, 2), node.labels.first?.label ?? "–",
        node.terms.map(\.word).joined(separator: " "),
      ]
    }
    lines.append(TextTable(["cluster", "windows", "tokens", "purity", "label", "terms"], rows: rows).text())
    if samples > 0, depth != nil {
      for node in report.nodes where node.level > 0 {
        lines += node.samples.map { "  \(stored.tree.name(of: node.node))  \($0.text)" }
      }
    }
    return Outcome(report: try JSONValue(encoding: report), lines: lines)
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(memory: 100e6) }
}
