import ArgumentParser
import Primitives
import Reporting
import Storage
import Workflows

/// `weir report PATH`: one self-contained HTML page.
struct ReportCommand: WeirCommand {
  static let configuration = CommandConfiguration(
    commandName: "report",
    abstract: "Write an HTML report of a run, a dataset, a tree, a mixture or a plan.",
    discussion: """
      Writes one self-contained HTML page that needs no network: the verdict and what limits it, then the figures, each with \
      a caption generated from its numbers.

      PATH is a folder written by weir run, train, finetune, split, shard or cluster fit, a folder of training runs such as \
      that of plan sweep or finetune sweep, a mixture, measured runs (.jsonl), a fit, or an allocation. The report shows what is there; that of \
      an unfinished training run shows its log so far.

      Under summary.crisp and summary.finetune of a recipe, every member other than the ones with a meaning of their own \
      names a method and its step, such as dsir: continue-dsir, and is shown beside the others.

      EXAMPLES:
        weir report runs/demo
        weir report runs/base -o base.html
        weir report out/tree --dataset out/dataset
        weir report fit.json -o - > fit.html
      """)

  @Argument(help: ArgumentHelp("File or folder to report on.", valueName: "path"))
  var run: String

  @Option(
    name: [.customShort("o"), .long],
    help: ArgumentHelp(
      "Output file for the page; - is standard output. (default: PATH/report.html for a folder, or the name of the file with .html)",
      valueName: "file"))
  var output: String?

  @Option(help: ArgumentHelp("Token dataset of a cluster tree, for what is in its clusters.", valueName: "dataset"))
  var dataset: String?

  @Flag(help: "Print the main results of a recipe run as Markdown tables, and write nothing.")
  var markdown = false

  @OptionGroup var common: CommonOptions

  private var isRecipe: Bool { Files.exists(RecipeFolder(run).recipe) }
  var inputs: [String] { [isRecipe ? RecipeFolder(run).recipe : run] }
  var outputs: [String] { [page] + (isRecipe ? [RecipeFolder(run).summary] : []) }

  var readsOtherSteps: Bool { isRecipe }
  var writesDataToOutput: Bool { output == "-" }

  private var page: String {
    if let output { return output }
    // A folder that a recipe has yet to make is one too.
    if Files.isFolder(run) || !Files.exists(run) { return run + "/report.html" }
    let parts = run.split(separator: "/", omittingEmptySubsequences: false)
    let name = parts.last ?? ""
    let stem = name.lastIndex(of: ".").map { name[..<$0] } ?? name
    return (parts.dropLast() + [stem + ".html"]).joined(separator: "/")
  }

  func perform(_ session: Session) throws -> Outcome {
    if markdown {
      try StandardOutput.write(ResultTables.markdown(RunResults(StepReports(run: run))))
      return Outcome()
    }
    let summary = try session.with("report") { try RunSummary(of: run, dataset: dataset, version: Weir.version, progress: $0) }
    let folder = RecipeFolder(run)
    var written: [String] = []
    if isRecipe {
      try folder.sealing(folder.summary) { try Files.write(Array(summary.encoded()), to: folder.summary) }
      written.append(folder.summary)
    }
    let html = Report.html(summary)
    if page == "-" {
      try StandardOutput.write(html)
      return Outcome()
    }
    try checkReplaced()
    let write = { try Files.writeOutput(Array(html.utf8), to: page) }
    try isRecipe ? folder.sealing(page, write) : write()
    return Outcome(report: .object(["page": .string(page)]), lines: ["  " + ([page] + written).joined(separator: ", ")])
  }

  /// Throws `WeirError` if the page would replace something else, such as a file of the folder that it describes.
  private func checkReplaced() throws {
    guard Files.isRegular(page), try Files.size(page) > 0 else { return }
    let isReport = try MappedFile(page).withBytes { $0.starts(with: Report.opening.utf8) }
    guard isReport else { throw WeirError(page, "exists and is not a report", remedy: "choose another output") }
  }

  func forecast(_ forecast: inout Forecast) throws -> Forecast.Row { Forecast.Row(disk: 5e5) }
}

/// The main results of a run, for the terminal and as Markdown.
enum ResultTables {
  private static func text(_ value: Double?) -> String { Format.fixed(value, 1) }

  static func markdown(_ results: RunResults) -> String {
    var lines: [String] = []
    if let crisp = results.crisp {
      let tokens = Format.short(Double(crisp.tokens ?? 0))
      lines += [
        "| Perplexity on held-out text | of the seed's domain | general |", "|---|---|---|",
        "| base | \(text(crisp.base?.target)) | \(text(crisp.base?.general)) |",
        "| + \(tokens) tokens, uniform | \(text(crisp.uniform?.target)) | \(text(crisp.uniform?.general)) |",
        "| + the same, the seed alone | \(text(crisp.specialist?.target)) | \(text(crisp.specialist?.general)) |",
      ]
      lines += crisp.others.map { "| + the same, \($0.name) | \(text($0.run.target)) | \(text($0.run.general)) |" }
      lines.append("| + the same, CRISP | **\(text(crisp.crisp?.target))** | \(text(crisp.crisp?.general)) |")
    }
    if let split = results.split {
      lines += ["", "| Perplexity at equal compute, by domain | single model | split |", "|---|---|---|"]
      lines += split.byDomain.map { "| \($0.terms.joined(separator: " ")) | \(text($0.full)) | \(text($0.split)) |" }
      lines.append("| mean over domains | \(text(split.meanPerplexity["full"])) | **\(text(split.meanPerplexity["split"]))** |")
      lines.append("| mean over tokens | \(text(split.tokenPerplexity["full"])) | \(text(split.tokenPerplexity["split"])) |")
    }
    if let finetuning = results.finetuning {
      lines += ["", "| Perplexity after finetuning | target domain | original domain |", "|---|---|---|"]
      lines += rows(finetuning).map { "| \($0.joined(separator: " | ")) |" }
    }
    return lines.joined(separator: "\n") + "\n"
  }

  private static func rows(_ finetuning: FinetuningComparison) -> [[String]] {
    let known = [("base", finetuning.base), ("direct", finetuning.direct), ("label annealing", finetuning.anneal)]
    return (known + finetuning.methods.map { ($0.name, $0.run) }).map { [$0.0, text($0.1?.target), text($0.1?.general)] }
  }

  static func lines(_ results: RunResults) -> [String] {
    var lines: [String] = []
    if let crisp = results.crisp {
      lines.append("  perplexity on held-out text after \(Format.short(Double(crisp.tokens ?? 0))) more tokens each:")
      let rows =
        [("(base)", crisp.base), ("uniform", crisp.uniform), ("specialist seed", crisp.specialist)]
        + crisp.others.map { ($0.name, $0.run) } + [("CRISP", crisp.crisp)]
      lines.append(
        TextTable(["continued on", "seed's domain", "general"], rows: rows.map { [$0.0, text($0.1?.target), text($0.1?.general)] })
          .text(indent: "    "))
    }
    if let split = results.split {
      let (full, mean) = (text(split.meanPerplexity["full"]), text(split.meanPerplexity["split"]))
      lines.append("  perplexity over \(split.byDomain.count) domains at equal compute: single model \(full), split \(mean)")
      let (whole, byTokens) = (text(split.tokenPerplexity["full"]), text(split.tokenPerplexity["split"]))
      lines.append("  the same weighted by tokens: single model \(whole), split \(byTokens)")
    }
    if let finetuning = results.finetuning {
      lines.append("  perplexity after finetuning:")
      lines.append(TextTable(["method", "target domain", "original domain"], rows: rows(finetuning)).text(indent: "    "))
    }
    if let plan = results.plan, let score = plan.score {
      let (held, fitted) = (Format.percent(score.heldOutError, 2), Format.percent(score.error, 2))
      lines.append("  law \(score.law): mean relative error \(held) on held-out runs, \(fitted) on the fitted ones")
    }
    return lines
  }
}
