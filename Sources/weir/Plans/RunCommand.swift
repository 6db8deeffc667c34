import ArgumentParser
import Pipeline
import Primitives
import Reporting
import Workflows

/// `weir run RECIPE.yaml`: a whole recipe.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Run a recipe, skipping the steps that are up to date.",
    discussion: """
      A recipe names a run folder and steps; each step is a weir command line, and stages joined by | run in one process. A \
      step runs again only if its command, an input or an output has changed. Ctrl-C stops after committing what is \
      complete; the next run resumes there.

      EXAMPLES:
        weir run corpora/demo.yaml --dry-run
      """)

  @Argument(help: ArgumentHelp("Recipe (YAML).", valueName: "recipe"))
  var recipe: String

  @Flag(help: "Estimate documents, tokens, FLOPs, memory and disk per step, and run nothing.")
  var dryRun = false

  @OptionGroup var common: CommonOptions

  func run() throws {
    try OpenMPI.requireSingleRank()
    let session = Session(threads: common.threads, quiet: common.quiet)
    let run = RecipeRun(try Recipe.read(recipe), path: recipe, tool: Weir.tool, interpreter: RecipeCommands(session: session))
    guard !dryRun else { return try printForecast(run) }
    let start = ContinuousClock.now
    let report = try run.run(progress: Progress(report: { _ in }, stopping: { Interrupt.isRequested })) { event in
      switch event {
      case .begin(let number, let count, let step):
        session.say("[\(number)/\(count)] \(step.step.says)")
        session.say("    weir \(step.line)")
      case .end(let result, let state):
        for line in result.accounts.map(\.line) + result.lines { session.say(line) }
        session.say("    \(Format.duration(state.seconds)), \(Format.bytes(state.bytes))")
      }
    }
    guard !common.json else { return try Outcome().render(session, json: true) }
    if report.ran == 0 {
      session.say("all \(report.steps) steps in \(run.recipe.run) are up to date")
    } else {
      let seconds = (ContinuousClock.now - start).seconds
      session.say("ran \(report.ran) of \(report.steps) steps in \(Format.duration(seconds)); \(report.steps - report.ran) were up to date")
    }
    if case .string(let page)? = report.last?.report["page"], let reports = try? StepReports(run: run.recipe.run) {
      for line in ResultTables.lines(RunResults(reports)) { session.say(line) }
      session.say("report: \(page)")
    }
  }

  private func printForecast(_ run: RecipeRun) throws {
    let steps = try run.forecast()
    let rows = steps.enumerated().map { index, step in
      ["\(index + 1) \(step.name)"] + step.cost.cells + [step.isUpToDate ? "up to date" : "to do"]
    }
    let flops = steps.reduce(0) { $0 + ($1.cost.flops ?? 0) }
    try StandardOutput.write(
      TextTable(["step"] + Forecast.Row.header + ["state"], rows: rows).text()
        + "\n  \(Format.short(flops)) FLOPs in total; tokens are estimates where there is no dataset yet\n")
  }
}
