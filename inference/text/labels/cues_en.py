"""The English words that decide the state and the side of the findings around them.

Written as in `terms_en`: lower case, no articles, commas between phrases. After the idea of NegEx and its
kin (W. Chapman et al., 2001; S. Peng et al., "NegBio", 2018): triggers that look forward, triggers that look
back, phrases that only seem to deny, and words that end a trigger's reach.
"""

FORWARD = {
    "absent": "no, not, without, free of, clear of, negative for, absence of, no evidence of, "
    "no evidence for, no sign of, nor, neither, never, no definite, no convincing, rather than, "
    "instead of, no radiographic evidence of, ruling out, rules out, exclude presence of, devoid of, "
    "lack of, no longer, nothing to suggest, no finding to suggest, no findings to suggest, fails to show, "
    "fails to demonstrate, denies, resolution of, complete resolution of, clearance of, clearing of, "
    "interval resolution of, removal of, interval removal of, interval complete resolution of, "
    "with resolution of, argues against, argue against, w / o, arguing against, no suggestion of, "
    "not suggestive of, no suspicious, and not, disappearance of, does not suggest, no suspicion of, "
    "no concern for, no indication of, low suspicion for, not consistent with, unlikely to be, "
    "unlikely to represent, no radiographic sign of, interval extubation and removal of, no longer any, "
    "excludes, without evidence of, without any",
    "uncertain": "may, might, could, can represent, possibly, suspicion of, suspicion for, suspicious for, "
    "suspect, suspicious of, concerning for, concern for, worrisome for, worrying for, raises concern for, "
    "raising concern for, raise concern for, concern of, raises possibility of, possibility of, "
    "raising possibility of, raise possibility of, suggest, suggests, suggesting, suggestive of, "
    "suggestion of, questionable, question of, question, query, equivocal, equivocal for, "
    "indeterminate for, cannot exclude, can not exclude, cannot entirely exclude, "
    "cannot completely exclude, cannot definitively exclude, can ' t exclude, could not exclude, "
    "cannot rule out, can not rule out, can ' t rule out, cannot fully exclude, unable to exclude, "
    "does not exclude, do not exclude, not exclude, cannot say that there is no, to exclude, to rule out, "
    "in order to exclude, differential includes, differential include, differential diagnosis includes, "
    "differential considerations include, considerations include, less likely, not typical of, "
    "not typical for, atypical for, atypical of, difficult to exclude, hard to exclude, "
    "cannot be certain that there is no, cannot confidently exclude, perhaps, potentially, potential, "
    "conceivably, maybe, early or developing, cannot be sure there is no, can be seen with, "
    "can be seen in, not excluding, without excluding, impossible to exclude, not entirely exclude, "
    "may be related to, may be due to, may be secondary to, could be due to, might be due to, "
    "possibly due to, possibly related to, less likely to, could be related to, differential is, "
    "differential diagnosis is, either, uncertain whether, unclear whether, may be, could be, might be, "
    "could represent, may represent, might represent, may reflect, could reflect, might reflect, "
    "may indicate, could indicate, would be consistent with possible, cannot exclude possibility of, "
    "not possible to exclude, should raise concern for, suggested, favored less, alternatively",
    "present": "likely, probable, probably, presumably, presumed, most likely, consistent with, "
    "compatible with, in keeping with, representing, represents, represent, reflecting, reflects, reflect, "
    "favor, favors, favored, favoring, indicating, indicates, indicative of, due to, diagnostic of, "
    "very likely, almost certainly, favored to represent, more likely, compatible w, typical of, "
    "typical for, characteristic of, in line with, related to, secondary to, caused by, in favor of, "
    "explained by, progressed to, evolved into, likely represents, likely reflects, likely representing, "
    "likely reflecting, likely due to, most likely due to, which likely represents, thought to be, "
    "thought to represent, believed to represent, felt to represent, unlikely to have changed, "
    "with development of, development of, indicate, attributed to, attributable to, suggest persistent, "
    "again suggests known",
}
"""Triggers that look forward, by the state they give. The last sort only ends the doubt before it."""

BACKWARD = {
    "absent": "not seen, not identified, not visualized, not appreciated, not evident, not present, "
    "not noted, not detected, not demonstrated, not observed, not apparent, not visible, not found, "
    "not shown, not clearly seen, not definitely seen, not definitely identified, not clearly identified, "
    "not recognized, not well seen, not convincingly seen, not discernible, not discerned, not delineated, "
    "not any more, no longer seen, no longer evident, no longer visible, no longer present, "
    "no longer identified, no longer apparent, no longer visualized, no longer demonstrated, "
    "no longer appreciated, no longer noted, no longer detected, no longer there, no longer clearly seen, "
    "no longer in place, is unlikely, considered unlikely, felt unlikely, ruled out, is excluded, "
    "are excluded, has been excluded, been ruled out, been excluded, taken out, none, none seen, nil, "
    "not reaccumulated, not recurred, gone, disappeared, completely disappeared, withdrawn completely, "
    "pulled out, explanted, not otherwise seen, has been discontinued, discontinued, not suspected, "
    "cleared, has cleared, have cleared, cleared completely, completely cleared, been removed, "
    "was removed, were removed, has been removed, have been removed, is removed, has resolved, "
    "have resolved, completely resolved, fully resolved, resolved completely, now resolved, not in place, "
    "not favored, is absent, are absent, not supported, highly unlikely, less likely than not, "
    "very unlikely, not developed, did not develop, has not developed, not definitively seen, "
    "not detectable, not readily apparent, not otherwise identified, have been extubated",
    "uncertain": "cannot be excluded, can not be excluded, not excluded, not be excluded, "
    "cannot be ruled out, can not be ruled out, not ruled out, can ' t be excluded, can ' t be ruled out, "
    "cannot be entirely excluded, cannot be completely excluded, not entirely excluded, "
    "not completely excluded, cannot be definitively excluded, cannot entirely be excluded, "
    "cannot be fully excluded, cannot be definitely excluded, could not be excluded, could be excluded, "
    "is difficult to exclude, are difficult to exclude, must be excluded, should be excluded, "
    "needs to be excluded, need to be excluded, to be excluded, to be ruled out, is possible, "
    "are possible, are possibilities, is possibility, is another possibility, is consideration, "
    "is also possible, are also possible, also possible, remains possible, is suspected, are suspected, "
    "is questioned, are questioned, should be considered, could be considered, could also be considered, "
    "should also be considered, may be considered, to be considered, are considerations, "
    "is also consideration, in differential, in differential diagnosis, could be missed, may be missed, "
    "might be missed, may be present, might be present, could be present, may also be present, "
    "could also be present, may coexist, could coexist, may be obscured, could be obscured, not confirmed, "
    "if any, if present, less likely, is less likely, are less likely, is not entirely excluded, "
    "may be hidden, could be hidden, is equivocal, are equivocal, is questionable, are questionable, "
    "is uncertain, are uncertain, is indeterminate, is concern, is of concern, may not be excluded, "
    "remains in differential, is in differential, possibly present, or both, may have similar appearance, "
    "can have similar appearance, could have this appearance, may be contributing, could be contributing, "
    "remains consideration, remain in differential, is raised, would be possible, may persist, "
    "not certain, may be superimposed, could be superimposed, is suggested, are suggested, "
    "might be missed on this view, could account for, may account for",
    "present": "not resolved, has not resolved, have not resolved, not completely resolved, "
    "not fully resolved, not cleared, incompletely resolved, nearly resolved, almost completely resolved, "
    "partially resolved, almost resolved, nearly completely resolved, partly resolved, has not cleared, "
    "partially cleared, nearly cleared, mostly resolved, largely resolved, essentially unchanged, "
    "has not been removed, is likely, are likely, is probable, is favored, are favored, mostly cleared, "
    "largely cleared, incompletely cleared, substantially resolved, substantially cleared, "
    "almost completely cleared, nearly completely cleared, is also likely, not completely cleared, "
    "not yet resolved, not yet cleared, is most likely, are most likely, not entirely resolved",
}
"""Triggers that look back."""

EITHER = {
    "absent": "resolved, removed, excluded, absent, resolution, complete resolution, removal, "
    "interval resolution, interval removal, unlikely, extracted, extubated, extubation, complete clearing",
    "uncertain": "possible, suspected, questioned, ?, conceivable",
    "present": "known likely",
}
"""Triggers that look forward where a finding follows at once, and back otherwise."""

NEUTRAL = (
    "no change, no interval change in, no significant change, no change in, "
    "no significant interval change, no significant interval change in, no increase, no increase in, "
    "no decrease, no decrease in, no worsening, no worsening of, no progression, no progression of, "
    "no improvement, no improvement in, no new change, no relevant change, no substantial change, "
    "no appreciable change, no material change, no major change, no large change, no enlargement of, "
    "no growth, no growth of, no interval growth, no interval worsening, no interval increase, "
    "no interval progression, no interval improvement, no substantial interval change, not changed, "
    "not significantly changed, not increased, not decreased, not worsened, not progressed, not grown, "
    "not substantially changed, not appreciably changed, not changed significantly, not improved, "
    "not enlarged in interval, not larger, not smaller, not worse, not different, not moved, not migrated, "
    "not only, not just, not merely, not simply, not previously seen, not seen previously, "
    "not been seen previously, not previously noted, not previously present, not seen before, "
    "not seen on prior, not seen on previous, not present previously, not present on prior, "
    "not seen on earlier, not present before, not been seen before, not definitely changed, "
    "not markedly changed, not included, not imaged, not fully imaged, not fully included, "
    "not completely imaged, not fully visualized, tip not visualized, tip not seen, tip not identified, "
    "tip is not seen, tip is not visualized, tip is not imaged, tip is not identified, "
    "not well visualized, not surprising, not appreciably different, not necessarily, not uncommon, "
    "no complication, no change from, no kink, no discontinuity, nearly complete resolution of, "
    "near complete resolution of, partial resolution of, partial clearing of, incomplete resolution of, "
    "near resolution of, almost complete resolution of, interval partial resolution of, "
    "near total resolution of, nearly complete resolution, near complete resolution, partial resolution, "
    "incomplete resolution, almost complete resolution, partial clearing, interval clearing, "
    "interval partial clearing of, improving, resolving, ensure resolution of, to ensure resolution of, "
    "ensure resolution, document resolution of, document resolution, confirm resolution of, "
    "confirm resolution, ensure clearing, ensure clearing of, document clearing of, confirm clearing of, "
    "until clearing, until resolution, for resolution, assess for resolution of, to document resolution, "
    "to confirm resolution, to document resolution of, to confirm resolution of, to ensure clearing of, "
    "to ensure resolution, for resolution of, no longer crosses, no longer coiled, no longer kinked, "
    "no longer in, no longer extends, no longer as, no further, no less, not as, not fully, "
    "not completely, not entirely, cannot be better, not optimally, not above, not below, not optimal, "
    "no doubt, no question, without change, without change in, without interval change, "
    "without significant change, without significant interval change, without significant change in, "
    "without interval change in, without complication, without increase, without progression, "
    "without worsening, without growth, without displacement, no displacement, "
    "without significant interval change in, nor larger, no bigger, not bigger, no larger, no smaller, "
    "recommend clinical correlation, not significant, minimal if any change, little if any change, no tip, "
    "not typically, not advanced, and no change, little change, no convincing change, not displaced, "
    "no definite change, no definite interval change, no evidence of change, no evidence of progression, "
    "no evidence of worsening, no recent change"
)
"""Phrases that seem to deny and do not."""

COMPARED = "than"
"""After "more likely", what follows is the less likely."""

BREAKS = (
    "but, however, although, though, even though, except, except for, apart from, aside from, other than, "
    "with exception of, otherwise, while, whereas, yet, despite, in spite of, beyond, ;, ., besides, "
    "save for, nevertheless, nonetheless, on other hand, elsewhere, albeit, unless, because, because of, "
    "!, |, followed by, in addition to, in addition"
)
"""Words that end the reach of every trigger."""

WITHHELD = {
    "to end": "evaluate for, evaluation for, assess for, assessment for, rule out, r / o, "
    "please evaluate for, to evaluate for, to assess for, to look for, check for, look for, history of, "
    "hx of, h / o, clinical history of, for evaluation of, to evaluate, question whether, monitor for, "
    "surveillance for, predisposes to, treated for, at risk for, at risk of, risk of, risk for, "
    "prior history of, has history of, known history of, past history of, screening for, work up for, "
    "workup for, clinical suspicion of, clinical suspicion for, clinical concern for, clinical concern of",
    "to comma": "if, when, where, should there be, were there",
    "before": "cannot be assessed, can not be assessed, cannot be evaluated, can not be evaluated, "
    "cannot be adequately assessed, cannot be accurately assessed, cannot be determined, "
    "cannot be well assessed, cannot be reliably assessed, difficult to assess, difficult to evaluate, "
    "is difficult to assess, is difficult to evaluate, not assessed, not evaluated, not well evaluated, "
    "not well assessed, cannot be properly assessed, not adequately assessed, not adequately evaluated, "
    "suboptimally evaluated, incompletely evaluated, incompletely assessed, not reliably assessed, "
    "cannot be commented on, poorly evaluated, poorly assessed, not possible to assess, "
    "cannot be adequately evaluated, cannot be fully evaluated, cannot be fully assessed, not assessable, "
    "cannot be accurately evaluated, not evaluable, suboptimally assessed, cannot be estimated",
    "clause": "limits evaluation of, limits assessment of, limiting evaluation of, limiting assessment of, "
    "limited evaluation of, limited assessment of, evaluation of, assessment of, limits evaluation for, "
    "limits detection of, precludes evaluation of, precludes assessment of, sensitivity for, detection of, "
    "limited sensitivity for, limits sensitivity for, insensitive for, insensitive to",
}
"""Phrases whose findings are no statement: to the clause's end, to the next comma, or from its start."""

HEADINGS = (
    "indication, history, clinical history, clinical indication, clinical information, reason for exam, "
    "reason for examination, reason for study, reason, comparison, technique, exam type, procedure, "
    "clinical question, question, past medical history, pmh, presenting complaint, referral, request, "
    "clinical details, clinical data, chief complaint, clinical statement, hx"
)
"""Headings, followed by a colon, of what is no finding of this study."""

LIST = "and, or, nor, versus, vs, and / or, as well as, plus, /, +, &"
SEEN = (
    "is, are, was, were, has, have, had, seen, noted, present, identified, visualized, demonstrated, been, "
    "be, detected, observed, appreciated, visible, evident, found"
)
STATED = (
    "remains, remain, persists, persist, there, again, shows, show, demonstrates, appears, appear, "
    "projects, project, terminates, ends, measuring, measures, obscures, extends, :, continues, unchanged, "
    "stable, worsened, increased, decreased, improved, which, that, worsens, improves, increases"
)
"""Verbs and their like: a list of what is denied does not run past them; it may end in "is seen"."""

NEW_START = (
    "small, tiny, trace, moderate, mild, severe, minimal, persistent, stable, new, unchanged, slight, "
    "increasing, decreasing, worsening, improved, improving, increased, decreased, residual, subtle, "
    "enlarging, known, again, multiple, bilateral, chronic, patchy, larger, with, low, moderately, mildly, "
    "status post, s / p, post, minor, marked, extensive, old, healed, healing, persisting"
)
"""Words that begin a finding that is there, after a list of what is not."""

LINKS = (
    "adjacent, associated, underlying, overlying, superimposed, parapneumonic, compressive, accompanying, "
    "concomitant, coexisting, coexistent, ipsilateral, relaxation, resultant, subjacent, resulting, "
    "concurrent, surrounding, superinfection, therein"
)
"""A finding so called is on the side of the one before it."""

TECHNIQUE = (
    "ap technique, ap projection, patient rotation, rotation, magnification, positioning, "
    "patient position, projection, ap view, portable technique, ap positioning, supine positioning, "
    "technique, supine technique, ap magnification, supine position, patient positioning, film technique"
)
HEDGES = (
    "possibly, likely, may, might, could, probably, thought, partly, perhaps, partially, potentially, "
    "at least, due to, related to, attributable to, secondary to"
)
BOTH = ("accentuated", "exaggerated", "magnified", "projectional")
"""An enlarged heart or mediastinum that may owe its size to the technique is uncertain."""

SIDES = {
    "right": "right, right sided, rll, rul, rml, rll / rml, r, rightsided, middle lobe, minor fissure, "
    "horizontal fissure, right side, right middle lobe, right sided chest, rllobe, right hemithorax, rlz, "
    "ruz",
    "left": "left, left sided, lll, lul, l, lingula, lingular, leftsided, left side, left hemithorax, llz, "
    "luz",
    "bilateral": "bilateral, bilaterally, both, bibasilar, biapical, b / l, either side, each side, "
    "on either side, on both sides, both sides, right and left, left and right, bilat, bibasally, "
    "bi basilar, bi apical, worse on right, worse on left, greater on right, greater on left, "
    "right greater than left, left greater than right, right worse than left, left worse than right, "
    "right > left, left > right, r > l, l > r, right more than left, left more than right, more on right, "
    "more on left, more pronounced on right, more pronounced on left, more prominent on right, "
    "more prominent on left, greater on right than left, greater on left than right, larger on right, "
    "larger on left, biapically, right more so than left, left more so than right, more severe on right, "
    "more severe on left, right larger than left, left larger than right, greater on right than on left, "
    "greater on left than on right, larger on right than left, larger on left than right, "
    "larger on right than on left, larger on left than on right, right slightly greater than left, "
    "left slightly greater than right, right side greater than left, left side greater than right, "
    "right lung and left lung, right lung worse than left, left lung worse than right, "
    "worse at right base, worse at left base, worse on right than left, worse on left than right, "
    "bihemispheric, r greater than l, l greater than r, both right and left, right base greater than left, "
    "left base greater than right, asymmetrically greater on right, asymmetrically greater on left",
    "": "leftward, rightward, to right, to left, right heart, left heart border, right heart border, "
    "right atrium, right ventricle, left ventricle, left atrium, left ventricular, right ventricular, "
    "right atrial, left atrial, right main bronchus, left main bronchus, right mainstem bronchus, "
    "left mainstem bronchus, right mainstem, left mainstem, right main stem bronchus, "
    "left main stem bronchus, right main pulmonary artery, left main pulmonary artery, "
    "right pulmonary artery, left pulmonary artery, left brachiocephalic vein, right brachiocephalic vein, "
    "left svc, persistent left svc, right bronchus intermedius, right paratracheal, left upper quadrant, "
    "right upper quadrant, left innominate vein, right innominate vein, cavoatrial, "
    "right cavoatrial junction, right bronchus, left bronchus, left sided aortic arch, "
    "right sided aortic arch, right ventricular apex, right ventricular outflow tract, from right, "
    "from left, right lateral decubitus, left lateral decubitus, left lateral view, right lateral view, "
    "left pulmonary arteries, right interlobar pulmonary artery, right descending pulmonary artery, "
    "left descending pulmonary artery",
}
"""Words of side; the last are directions and places of a tip, and give none."""

PREPOSITIONS = (
    "in, at, on, of, within, over, along, throughout, involving, overlying, projecting, through, from, near"
)
