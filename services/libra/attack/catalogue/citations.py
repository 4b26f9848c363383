"""The publications and tools from which the attacks come; each is named once."""

from __future__ import annotations

ART = "Jiang et al.: ArtPrompt: ASCII Art-based Jailbreak Attacks against Aligned LLMs (2024), arXiv 2402.11753"
ASCII_SMUGGLING = (
    "Rehberger: ASCII Smuggler: hidden Unicode tags (2024), embracethered.com; PyRIT: AsciiSmugglerConverter"
)
AUTHORITY = (
    "Yang et al.: The Dark Side of Trust: Authority Citation-Driven Jailbreak Attacks on LLMs (2024), arXiv 2411.11407"
)
BAD_CHARACTERS = "Boucher et al.: Bad Characters: Imperceptible NLP Attacks (2021), arXiv 2106.09898"
BAD_LIKERT = (
    "Palo Alto Networks Unit 42: Bad Likert Judge (2024), unit42.paloaltonetworks.com; promptfoo: jailbreak:likert; "
    "DeepTeam: BadLikertJudge"
)
BEST_OF_N = "Hughes et al.: Best-of-N Jailbreaking (2024), arXiv 2412.03556"
BIJECTION = "Huang, Li, Tang: Endless Jailbreaks with Bijection Learning (2024), arXiv 2410.01294"
CHAIN_OF_THOUGHT = "Zhao et al.: Chain-of-Thought Hijacking (2025), arXiv 2510.26418"
CHARACTER_INJECTION = (
    "Hackett et al.: Bypassing Prompt Injection and Jailbreak Detection in LLM Guardrails (2025), arXiv 2504.11168"
)
CHAT_BUG = (
    "Jiang et al.: ChatBug: A Common Vulnerability of Aligned LLMs Induced by Chat Templates (2024), arXiv 2406.12935"
)
CODE_CHAMELEON = (
    "Lv et al.: CodeChameleon: Personalized Encryption Framework for Jailbreaking LLMs (2024), arXiv 2402.16717"
)
CIPHER_CHAT = "Yuan et al.: GPT-4 Is Too Smart To Be Safe: Stealthy Chat with LLMs via Cipher (2023), arXiv 2308.06463"
CODE_ATTACK = (
    "Ren et al.: CodeAttack: Revealing Safety Generalization Challenges of LLMs via Code Completion (2024), arXiv "
    "2403.07865"
)
COGNITIVE_OVERLOAD = (
    "Xu et al.: Cognitive Overload: Jailbreaking LLMs with Overloaded Logical Thinking (2023), arXiv 2311.09827"
)
CONTEXT_COMPLIANCE = (
    "Russinovich, Salem: Jailbreaking is (Mostly) Simpler Than You Think (2025), arXiv 2503.05264: the context "
    "compliance attack"
)
CRESCENDO = (
    "Russinovich, Salem, Eldan: Great, Now Write an Article About That: The Crescendo Multi-Turn LLM Jailbreak "
    "Attack (2024), arXiv 2404.01833"
)
DAN = (
    'Shen et al.: "Do Anything Now": Characterizing and Evaluating In-The-Wild Jailbreak Prompts on Large Language '
    "Models (2023), arXiv 2308.03825"
)
DEEP_INCEPTION = "Li et al.: DeepInception: Hypnotize Large Language Model to Be Jailbreaker (2023), arXiv 2311.03191"
DEEP_TEAM = "DeepTeam (2025), github.com/confident-ai/deepteam"
DEEP_WORD_BUG = (
    "Gao et al.: Black-box Generation of Adversarial Text Sequences to Evade Deep Learning Classifiers (2018), arXiv "
    "1801.04354"
)
DISTRACTION = "Xiao et al.: Distract Large Language Models for Automatic Jailbreak Attack (2024), arXiv 2403.08424"
EMOJI_SMUGGLING = (
    "Butler: Smuggling arbitrary data through an emoji (2025), paulbutler.org; PyRIT: "
    "VariationSelectorSmugglerConverter"
)
EMOTION = (
    "Li et al.: Large Language Models Understand and Can Be Enhanced by Emotional Stimuli (2023), arXiv 2307.11760"
)
FLIP = "Liu et al.: FlipAttack: Jailbreak LLMs via Flipping (2024), arXiv 2410.02832; PyRIT: FlipAttack"
FEW_SHOTS = (
    "Wei, Wang, Wang: Jailbreak and Guard Aligned Language Models with Only Few In-Context Demonstrations (2023), "
    "arXiv 2310.06387"
)
FORMALIZING = "Liu et al.: Formalizing and Benchmarking Prompt Injection Attacks and Defenses (2023), arXiv 2310.12815"
FUNCTION_CALLING = (
    "Wu et al.: The Dark Side of Function Calling: Pathways to Jailbreaking LLMs (2024), arXiv 2407.17915"
)
GARAK = "Derczynski et al.: garak: A Framework for Security Probing Large Language Models (2024), arXiv 2406.11036"
INDIRECT = "Greshake et al.: Not what you've signed up for: Indirect Prompt Injection (2023), arXiv 2302.12173"
H4RM3L = "Doumbouya et al.: h4rm3l: A Language for Composable Jailbreak Attack Synthesis (2024), arXiv 2408.04811"
IGNORE_PREVIOUS = (
    "Perez, Ribeiro: Ignore Previous Prompt: Attack Techniques For Language Models (2022), arXiv 2211.09527"
)
JAILBROKEN = "Wei, Haghtalab, Steinhardt: Jailbroken: How Does LLM Safety Training Fail? (2023), arXiv 2307.02483"
LIBRA_LEADERBOARD = (
    "Li et al.: Libra-Leaderboard: Towards Responsible AI through a Balanced Leaderboard of Safety and Capability "
    "(2024), arXiv 2412.18551"
)
MANY_SHOT = "Anil et al.: Many-shot Jailbreaking (2024), Advances in Neural Information Processing Systems 37"
MATH_PROMPT = "Bethany et al.: Jailbreaking Large Language Models with Symbolic Mathematics (2024), arXiv 2409.11445"
MISSPELLINGS = (
    "Pruthi, Dhingra, Lipton: Combating Adversarial Misspellings with Robust Word Recognition (2019), arXiv 1905.11268"
)
MULTILINGUAL = "Deng et al.: Multilingual Jailbreak Challenges in Large Language Models (2023), arXiv 2310.06474"
NATURAL_NOISE = (
    "Belinkov, Bisk: Synthetic and Natural Noise Both Break Neural Machine Translation (2017), arXiv 1711.02173"
)
NESTED = "Ding et al.: A Wolf in Sheep's Clothing: Generalized Nested Jailbreak Prompts (2023), arXiv 2311.08268"
PAIR = "Chao et al.: Jailbreaking Black Box Large Language Models in Twenty Queries (2023), arXiv 2310.08419"
PARSELTONGUE = "P4RS3LT0NGV3 (2024), github.com/elder-plinius/P4RS3LT0NGV3"
PAST_TENSE = (
    "Andriushchenko, Flammarion: Does Refusal Training in LLMs Generalize to the Past Tense? (2024), arXiv 2407.11969"
)
PERSONA_MODULATION = (
    "Shah et al.: Scalable and Transferable Black-Box Jailbreaks for Language Models via Persona Modulation (2023), "
    "arXiv 2311.03348"
)
PERSUASION = "Zeng et al.: How Johnny Can Persuade LLMs to Jailbreak Them (2024), arXiv 2401.06373"
POLICY_PUPPETRY = "HiddenLayer: Novel Universal Bypass for All Major LLMs: Policy Puppetry (2025), hiddenlayer.com"
PROGRAMMATIC = (
    "Kang et al.: Exploiting Programmatic Behavior of LLMs: Dual-Use Through Standard Security Attacks (2023), arXiv "
    "2302.05733"
)
PROMPT_ENGINEERING = (
    "Liu et al.: Jailbreaking ChatGPT via Prompt Engineering: An Empirical Study (2023), arXiv 2305.13860"
)
PROMPTFOO = "promptfoo (2024), github.com/promptfoo/promptfoo"
PYRIT = (
    "Lopez Munoz et al.: PyRIT: A Framework for Security Risk Identification and Red Teaming (2024), arXiv 2410.02828"
)
SATA = "Dong et al.: SATA: Jailbreak via Simple Assistive Task Linkage (2024), arXiv 2412.15289; garak: probes.sata"
SKELETON_KEY = (
    "Russinovich: Mitigating Skeleton Key, a new type of generative AI jailbreak technique (2024), microsoft.com"
)
STRUCTURES = (
    "Li et al.: StructuralSleight: Automated Jailbreak Attacks Utilizing Uncommon Text-Encoded Structures (2024), "
    "arXiv 2406.08754"
)
TAP = "Mehrotra et al.: Tree of Attacks: Jailbreaking Black-Box LLMs Automatically (2023), arXiv 2312.02119"
TEXT_BUGGER = (
    "Li et al.: TextBugger: Generating Adversarial Text Against Real-world Applications (2018), arXiv 1812.05271"
)
TIME_BANDIT = "CERT Coordination Center: VU#733789: the Time Bandit jailbreak (2025), kb.cert.org"
VISUAL = (
    "Eger et al.: Text Processing Like Humans Do: Visually Attacking and Shielding NLP Systems (2019), arXiv 1903.11508"
)
WORD_CIPHER = (
    'Handa et al.: When "Competency" in Reasoning Opens the Door to Vulnerability: Jailbreaking LLMs via Novel '
    "Complex "
    "Ciphers (2024), arXiv 2402.10601"
)


def cite(work: str, part: str) -> str:
    """Return the citation of a part of a work, for instance `cite(PYRIT, "MorseConverter")`."""
    return f"{work}: {part}"
