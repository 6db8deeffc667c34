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
      the numbers in summary.json.

      EXAMPLES:
        weir report runs/demo
      """)

  @Argument(help: ArgumentHelp("Run folder written by weir run.", valueName: "run"))
  var run: String

  @Option(name: [.customShort("o"), .long], help: ArgumentHelp("Output file for the page. (default: RUN/report.html)", valueName: "file"))
  var output: String?

  @Flag(help: "Print the tables of summary.json as Markdown, and write nothing.")
  var markdown = false

  @OptionGroup var common: CommonOptions

  var inputs: [String] { [RecipeFolder(run).recipe] }
  var outputs: [String] { [page, run + "/" + RunSummary.fileName] }

  var readsOtherSteps: Bool { true }

  private var page: String { output ?? run + "/report.html" }

  func perform(_ session: Session) throws -> Outcome {
    if markdown {
      try StandardOutput.write(SummaryTable.markdown(RunSummary.read(run)))
      return Outcome()
    }
    let summary = try SummaryBuilder(run: run).build()
    try Files.write(Array(summary.encoded()), to: run + "/" + RunSummary.fileName)
    try Files.write(Array(Report.html(summary).utf8), to: page)
    return Outcome(report: .object(["page": .string(page)]), lines: ["  \(page), \(run)/\(RunSummary.fileName)"])
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(disk: 5e5) }
}

/// The numbers of a run as a table on the terminal, and as Markdown.
enum SummaryTable {
  /// The tables of the README.
  static func markdown(_ summary: RunSummary) -> String {
    func text(_ value: Double?) -> String { value.map { String(format: "%.1f", $0) } ?? "–" }
    var lines: [String] = []
    if let crisp = summary.crisp, let seed = crisp.seedPerplexity, let general = crisp.generalPerplexity {
      lines += [
        "| Perplexity on held-out text | of the seed's domain | general |", "|---|---|---|",
        "| base | \(text(seed.base)) | \(text(general.base)) |",
        "| + \(Format.short(crisp.tokens ?? 0)) tokens, uniform | \(text(seed.uniform)) | \(text(general.uniform)) |",
        "| + the same, the seed alone | \(text(seed.specialist)) | \(text(general.specialist)) |",
        "| + the same, CRISP | **\(text(seed.crisp))** | \(text(general.crisp)) |",
      ]
    }
    if let split = summary.split, let mean = split.meanPerplexity {
      lines += ["", "| Same compute, perplexity by domain | full | split |", "|---|---|---|"]
      lines += (split.byDomain ?? []).map { "| \(($0.terms ?? []).joined(separator: " ")) | \(text($0.full)) | \(text($0.split)) |" }
      lines.append("| mean over domains | \(text(mean.full)) | **\(text(mean.split))** |")
    }
    if let finetune = summary.finetune {
      lines += ["", "| Finetuning | target | forgetting: general |", "|---|---|---|"]
      for (name, point) in [("before", finetune.base), ("direct", finetune.direct), ("label annealing", finetune.anneal)] {
        lines.append("| \(name) | \(text(point?.targetPerplexity)) | \(text(point?.sourcePerplexity)) |")
      }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  static func lines(_ summary: RunSummary) -> [String] {
    func text(_ value: Double?) -> String { value.map { String(format: "%.1f", $0) } ?? "–" }
    var lines: [String] = []
    if let crisp = summary.crisp, let seed = crisp.seedPerplexity, let general = crisp.generalPerplexity {
      lines.append("  Perplexity on held-out text, after \(Format.short(crisp.tokens ?? 0)) more tokens each:")
      lines.append(
        TextTable(
          ["continued on", "seed's domain", "general"],
          rows: [
            ["(base)", text(seed.base), text(general.base)], ["uniform", text(seed.uniform), text(general.uniform)],
            ["seed alone", text(seed.specialist), text(general.specialist)], ["CRISP", text(seed.crisp), text(general.crisp)],
          ]
        ).text(indent: "    "))
    }
    if let split = summary.split, let mean = split.meanPerplexity {
      lines.append(
        "  Split into \(split.byDomain?.count ?? 0) domains against one full model of the same compute, mean perplexity: full \(text(mean.full)), split \(text(mean.split))"
      )
    }
    if let finetune = summary.finetune {
      lines.append("  Finetuning:")
      lines.append(
        TextTable(
          ["method", "target", "source"],
          rows: [("(base)", finetune.base), ("direct", finetune.direct), ("label annealing", finetune.anneal)].map {
            [$0.0, text($0.1?.targetPerplexity), text($0.1?.sourcePerplexity)]
          }
        ).text(indent: "    "))
    }
    if let plan = summary.plan {
      lines.append(
        "  Law \(plan.law ?? "–"): R² \(plan.r2.map { String(format: "%.4f", $0) } ?? "–"), held-out relative error \(plan.heldoutRelativeError.map { String(format: "%.2f %%", $0 * 100) } ?? "–")"
      )
    }
    return lines
  }
}
