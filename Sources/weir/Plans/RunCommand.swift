import ArgumentParser
import Pipeline
import Primitives

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
    try Job.requireOne()
    let session = Session(threads: common.threads, quiet: common.quiet)
    let run = RecipeRun(recipe: try Recipe.read(recipe), path: recipe, session: session)
    if dryRun {
      for line in try run.forecast() { try StandardOutput.write(line + "\n") }
      return
    }
    let outcome = try run.run()
    if common.json {
      try Outcome(report: outcome.report).render(session, json: true)
    } else {
      for line in outcome.lines { session.say(line) }
    }
  }
}
