import ArgumentParser
import Pipeline
import Primitives

/// `weir run RECIPE.yaml`: a whole recipe.
struct RunCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "run",
    abstract: "Runs a recipe: skips what is done, goes on where it was.",
    discussion: """
      A recipe names a folder and steps, each a weir command line; stages joined by | run fused in one process. A step runs again
      only if its command, or a file that it reads or made, has changed. Ctrl-C stops after committing what there is.

      Example: weir run corpora/demo.yaml --dry-run
      """)

  @Argument(help: ArgumentHelp("The recipe, YAML.", valueName: "recipe"))
  var recipe: String

  @Flag(help: "Say what each step will take (documents, tokens, FLOPs, memory, disk), and run nothing.")
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
