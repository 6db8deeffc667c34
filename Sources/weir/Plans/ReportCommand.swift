import ArgumentParser
import Foundation
import Pipeline
import Primitives
import Reporting
import Storage
import Workflows

/// `weir report RUN`: one self-contained HTML page.
struct ReportCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write the HTML report of a recipe run.",
    discussion: """
      Writes summary.json and one self-contained HTML page that needs no network. Every figure has a caption generated from \
      its numbers.

      EXAMPLES:
        weir report runs/demo
      """)

  @Argument(help: ArgumentHelp("Run folder written by weir run.", valueName: "run"))
  var run: String

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output file for the page. (default: RUN/report.html)", valueName: "file"))
  var output: String?

  @Flag(help: "Print the main results as Markdown tables, and write nothing.")
  var markdown = false

  @OptionGroup var common: CommonOptions

  var inputs: [String] { [RecipeFolder(run).recipe] }
  var outputs: [String] { [page, RecipeFolder(run).summary] }

  var readsOtherSteps: Bool { true }

  private var page: String { output ?? run + "/report.html" }

  func perform(_ session: Session) throws -> Outcome {
    if markdown {
      try StandardOutput.write(ResultTables.markdown(RunResults(StepReports(run: run))))
      return Outcome()
    }
    let summary = try RunSummary(run: run, version: Weir.version)
    try Files.write(Array(summary.encoded()), to: RecipeFolder(run).summary)
    try Files.write(Array(Report.html(summary).utf8), to: page)
    return Outcome(report: .object(["page": .string(page)]), lines: ["  \(page), \(RecipeFolder(run).summary)"])
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(disk: 5e5) }
}

/// The main results of a run, for the terminal and as Markdown.
enum ResultTables {
  private static func text(_ value: Double?) -> String { value.map { String(format: "%.1f", $0) } ?? "–" }

  static func markdown(_ results: RunResults) -> String {
    var lines: [String] = []
    if let crisp = results.crisp {
      let tokens = Format.short(Double(crisp.tokens ?? 0))
      lines += [
        "| Perplexity on held-out text | of the seed's domain | general |", "|---|---|---|",
        "| base | \(text(crisp.base?.target)) | \(text(crisp.base?.general)) |",
        "| + \(tokens) tokens, uniform | \(text(crisp.uniform?.target)) | \(text(crisp.uniform?.general)) |",
        "| + the same, the seed alone | \(text(crisp.specialist?.target)) | \(text(crisp.specialist?.general)) |",
        "| + the same, CRISP | **\(text(crisp.crisp?.target))** | \(text(crisp.crisp?.general)) |",
      ]
    }
    if let split = results.split {
      lines += ["", "| Perplexity at equal compute, by domain | single-model baseline | split |", "|---|---|---|"]
      lines += split.byDomain.map { "| \($0.terms.joined(separator: " ")) | \(text($0.full)) | \(text($0.split)) |" }
      lines.append(
        "| mean over domains | \(text(split.meanPerplexity["full"])) | **\(text(split.meanPerplexity["split"]))** |")
    }
    if let finetuning = results.finetuning {
      lines += ["", "| Perplexity after finetuning | target | original domain |", "|---|---|---|"]
      lines += rows(finetuning).map { "| \($0.joined(separator: " | ")) |" }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func rows(_ finetuning: FinetuningComparison) -> [[String]] {
    [("base", finetuning.base), ("direct", finetuning.direct), ("label annealing", finetuning.anneal)].map {
      [$0.0, text($0.1?.target), text($0.1?.general)]
    }
  }

  static func lines(_ results: RunResults) -> [String] {
    var lines: [String] = []
    if let crisp = results.crisp {
      lines.append("  perplexity on held-out text after \(Format.short(Double(crisp.tokens ?? 0))) more tokens each:")
      let rows = [
        ("(base)", crisp.base), ("uniform", crisp.uniform), ("specialist seed", crisp.specialist), ("CRISP", crisp.crisp),
      ]
      lines.append(
        TextTable(["continued on", "seed's domain", "general"], rows: rows.map { [$0.0, text($0.1?.target), text($0.1?.general)] })
          .text(indent: "    "))
    }
    if let split = results.split {
      let (full, mean) = (text(split.meanPerplexity["full"]), text(split.meanPerplexity["split"]))
      lines.append("  perplexity over \(split.byDomain.count) domains at equal compute: single-model baseline \(full), split \(mean)")
    }
    if let finetuning = results.finetuning {
      lines.append("  perplexity after finetuning:")
      lines.append(TextTable(["method", "target", "original domain"], rows: rows(finetuning)).text(indent: "    "))
    }
    if let plan = results.plan, let score = plan.score {
      let error = score.heldOutError.map { String(format: "%.2f %%", $0 * 100) } ?? "–"
      lines.append("  law \(score.law): R² \(String(format: "%.4f", score.r2)), mean relative error on held-out runs \(error)")
    }
    return lines
  }
}
