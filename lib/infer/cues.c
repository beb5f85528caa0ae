/* SPDX-License-Identifier: Apache-2.0 */
/*
 * cues.c: the engine's whole knowledge of languages: lists of everyday words and what they hint at.
 * Common words only, never names or subjects. A word may stand in several lists and languages.
 */
#include "infer_int.h"
#include "text.h"

struct list {
    uint64_t cue;
    uint8_t languages;
    const char *words;
};

enum {
    EN = 1 << INFER_EN,
    DE = 1 << INFER_DE,
    FR = 1 << INFER_FR,
    ES = 1 << INFER_ES,
    ALL = EN | DE | FR | ES,
};

static const struct list LISTS[] = {
    { CUE_STOP, EN,
      "a an the this that these those and or but if then than so as of in on at to for from with "
      "without by about into over under after before between during until since up down out off "
      "is are was were be been being am do does did done doing have has had having will would "
      "can could should shall may might must it its it's he she they them him her his hers their "
      "theirs we us our ours you your yours i me my mine myself i'm i'll i've i'd we're we'll "
      "we've we'd you're you'll you've he's she's he'll she'll they're they'll they've there's "
      "that's what's who's where's here's let's there here not no nor only just also too very "
      "really quite still yet already again ever never always all any some every each both "
      "either neither other another same such own who what when where why how which whose "
      "because while though although however more most less least much many few lot lots bit "
      "thing things something anything nothing everything someone somebody anyone anybody "
      "everyone everybody nobody don't doesn't didn't isn't aren't wasn't weren't can't cannot "
      "couldn't won't wouldn't shouldn't haven't hasn't hadn't it'll it'd get got go goes going "
      "gone come comes came one ones now back say says said" },
    { CUE_STOP, DE,
      "der die das den dem des ein eine einen einem einer eines und oder aber wenn dann als so "
      "von im in an am auf aus zu zum zur bei beim mit ohne nach vor für um bis durch über unter "
      "ist sind war waren sein bin bist seid wird werden wurde hat habe haben hatte hatten kann "
      "können könnt kannst könnte soll sollen sollte muss müssen will wollen wollte möchte darf "
      "dürfen es er sie ihn ihm ihr ihre ihren wir uns unser unsere du dich dir dein deine ich "
      "mich mir mein meine man sich hier da dort nicht nein kein keine keinen nur auch noch "
      "schon sehr doch mal ja wer was wann wo warum wie welche welcher weil dass daß ob denn "
      "immer nie alle alles jede jeder jedes etwas nichts jemand niemand diese dieser dieses "
      "diesen jetzt heute also eben halt gibt" },
    { CUE_STOP, FR,
      "le la les l un une des du de d et ou mais si alors que qui quoi quand où comment pourquoi "
      "quel quelle à au aux en dans sur sous avec sans pour par chez entre vers est sont était "
      "suis es être sera ai as a avons avez ont avait avoir fait fais faire je j' j'ai tu il "
      "elle on nous vous ils elles me m' te se s' ce c'est cet cette ces ça cela mon ma mes ton "
      "ta tes son sa ses notre nos votre vos leur leurs y ne n' pas plus très aussi encore déjà "
      "toujours jamais tout tous toute toutes rien ici là oui non qu' l'on d'un d'une peut peux "
      "bien va vais" },
    { CUE_STOP, ES,
      "el la los las un una unos unas de del al a en con sin por para entre hasta desde sobre y "
      "e o u pero si entonces que qué quien quién cuando cuándo donde dónde como cómo porque es "
      "son era eran ser soy eres está están estoy estar estaba hay ha he has han hemos había "
      "tengo tiene tienen tener yo tú él ella nosotros ellos ellas me te se nos os lo le les mi "
      "mis tu tus su sus nuestro nuestra este esta esto estos estas ese esa eso muy más menos "
      "también ya todavía aún no sí nada todo todos toda todas algo alguien nadie aquí allí "
      "ahora solo sólo tan bien va voy" },

    { CUE_AGREE, ALL,
      "ok okay okey okei oki k top super perfect perfekt parfait perfecto yes yess" },
    { CUE_AGREE, EN,
      "yeah yep yup ya sure fine deal agreed great good cool nice works same exactly correct "
      "right absolutely definitely definately course brilliant excellent wonderful lovely "
      "awesome noted true sounds sold wow aye amazing fantastic" },
    { CUE_AGREE, DE,
      "ja jo jap jep klar gerne gern gut genau einverstanden prima klasse stimmt passt abgemacht "
      "natürlich jawohl toll richtig wunderbar super schön" },
    { CUE_AGREE, FR,
      "oui ouais d'accord dac bien entendu bon volontiers exact génial impec nickel super cool "
      "évidemment vendu" },
    { CUE_AGREE, ES,
      "sí si vale claro bien genial bueno venga perfecta hecho dale exacto acuerdo estupendo "
      "guay bravo cierto" },
    { CUE_NO, EN,
      "nothing no nope not cannot can't won't don't doesn't isn't aren't couldn't wouldn't "
      "shouldn't didn't wasn't never nobody none without neither" },
    { CUE_NO, DE, "nein nicht nichts kein keine keinen keiner nie niemand ohne nö" },
    { CUE_NO, FR, "non pas aucun aucune jamais rien sans personne" },
    { CUE_NO, ES, "no nunca nada nadie ningún ninguno ninguna sin tampoco" },

    { CUE_FILLER, ALL,
      "ok okay super hm hmm hmmm mm mhm oh ah aha eh uh um haha hahaha hehe lol ha ach na ouf "
      "phew omg btw fyi pff ui wow yay woohoo ugh ouch" },
    { CUE_FILLER, EN,
      "so well also and but or then anyway anyways great perfect cool nice good right yeah "
      "actually basically honestly tbh imo imho guys people folks everyone everybody all yes yep "
      "sure thanks thank sorry please exactly deal wonderful brilliant excellent lovely fine "
      "agreed hi hello hey dear morning evening btw just like saved sounds true" },
    { CUE_FILLER, DE,
      "also und aber ja gut klasse prima genau danke bitte hallo hi moin servus guten morgen tag "
      "abend naja tja stimmt leute zusammen alle klar toll" },
    { CUE_FILLER, FR,
      "alors et mais oui bon bien parfait merci bonjour salut coucou bonsoir voilà ben donc tous" },
    { CUE_FILLER, ES,
      "pues y pero sí bueno vale gracias hola buenos buenas días tardes noches entonces claro "
      "venga perfecto genial bien" },
    { CUE_GREET, ALL, "hi hello hey hallo hola bonjour salut coucou moin servus welcome" },
    { CUE_GREET, EN, "morning dear evening night bye" },
    { CUE_GREET, DE, "guten liebe lieber tschüss grüße" },
    { CUE_GREET, FR, "bonsoir bonne" },
    { CUE_GREET, ES, "buenos buenas adiós" },
    { CUE_LAUGH, ALL,
      "haha hahaha hehe lol lmao rofl xd jaja jajaja mdr ptdr kidding joking joke" },
    { CUE_THANKS, ALL, "thanks thank thx danke dankeschön merci gracias ty cheers" },
    { CUE_PRAISE, EN,
      "angel star hero genius love lovely beautiful saved excited cute poor sweet best sad funny "
      "legend rude crazy wonderful amazing fantastic congrats congratulations" },
    { CUE_PRAISE, DE, "schatz engel held lieb süß schön herrlich witzig arm" },
    { CUE_PRAISE, FR, "ange adorable courage génial drôle magnifique" },
    { CUE_PRAISE, ES, "guapo maravilla divertido pobre ángel bonito" },

    { CUE_FIRST, EN, "i i'm i'll i've i'd" },
    { CUE_FIRST, DE, "ich mir mich" },
    { CUE_FIRST, FR, "je j j'ai moi" },
    { CUE_FIRST, ES, "yo" },
    { CUE_MODAL, EN, "will can could would shall i'll i'd gonna we'll" },
    { CUE_MODAL, DE, "werde kann könnte werden können" },
    { CUE_MODAL, FR, "vais peux pourrais" },
    { CUE_MODAL, ES, "voy puedo podría podemos vamos" },
    { CUE_ACTION, EN,
      "bring take get book buy order send make do call ask check pick drive print write prepare "
      "organise organize cook bake collect pay transfer post put set fix move clean carry help "
      "reserve confirm cancel arrange handle host lend borrow drop upload download test update "
      "share remind meet come arrive join leave start finish finalize finalise open close cover "
      "design draft edit email mail fetch file fill find forward give grab grill hang hold "
      "install invite keep lead let look manage measure mow name offer own pack paint park phone "
      "plan play present provide publish pull push record register rent repair replace review "
      "rewrite roll run schedule scan search sell serve setup show sign sort speak stay stop "
      "submit supply swap switch talk teach tell text throw tidy translate try turn type "
      "volunteer wait walk wash watch water wear work reply rebook refund sew sweep iron feed "
      "disable enable deploy merge rebase investigate patch restart rollback apply discuss "
      "announce distribute coordinate contact bill invoice donate deliver ring cycle chair "
      "decorate heat hide hand ship scrub pour light wire dig plant trim unlock lock" },
    { CUE_ACTION, DE,
      "bringe bringen nehme nehmen hole holen holt buche buchen kaufe kaufen bestelle bestellen "
      "schicke schicken mache machen rufe rufen frage fragen prüfe prüfen fahre fahren drucke "
      "drucken schreibe schreiben bereite vorbereiten organisiere organisieren koche kochen "
      "backe backen sammle sammeln zahle zahlen bezahle bezahlen überweise überweisen putze "
      "putzen trage tragen helfe helfen reserviere reservieren kümmere kümmern übernehme "
      "übernehmen leihe leihen stelle stellen komme kommen treffe treffen besorge besorgen "
      "grille grillen melde melden sage sagen repariere räume baue aufbauen abbauen abholen "
      "mitbringen mitnehmen einkaufen erledige schaue suche spiele lege packe" },
    { CUE_ACTION, FR,
      "apporte apporter prends prendre réserve réserver achète acheter commande commander envoie "
      "envoyer appelle appeler demande demander vérifie conduis imprime écris prépare préparer "
      "organise cuisine paie payer viens venir aide aider ramène ramener cherche chercher occupe "
      "m'occupe fais mets amène amener garde récupère récupérer passe" },
    { CUE_ACTION, ES,
      "traigo traer llevo llevar compro comprar reservo reservar envío enviar mando mandar llamo "
      "llamar pregunto preguntar reviso conduzco imprimo escribo preparo preparar organizo "
      "cocino pago pagar vengo venir ayudo ayudar recojo recoger hago hacer cancelo cancelar "
      "pongo busco encargo paso presto apunto" },
    { CUE_STATE, EN,
      "have need want am think know love like feel hope live prefer see hear mean guess suggest "
      "vote propose remember believe wonder suppose wish doubt understand agree hate own seem" },
    { CUE_DONE, EN,
      "booked paid ordered sent confirmed done cancelled canceled moved found fixed posted "
      "reserved bought closed arrived finished deleted removed blocked completed complete locked "
      "resolved signed printed collected returned repaired received delivered uploaded published "
      "submitted called asked talked checked registered installed tested transferred borrowed "
      "replaced painted approved granted sold picked reported updated banned declared scheduled "
      "announced gone stopped disabled shipped merged deployed reverted measured picked-up won "
      "lost added" },
    { CUE_DONE, DE,
      "gebucht bezahlt bestellt erledigt verschickt geschickt bestätigt reserviert gekauft "
      "fertig abgeholt gefunden repariert abgesagt storniert gelöscht überwiesen gedruckt "
      "unterschrieben erhalten geklärt gesperrt entfernt gemeldet angemeldet verkauft geliefert" },
    { CUE_DONE, FR,
      "réservé payé commandé envoyé terminé terminée terminés terminées confirmé annulé acheté "
      "trouvé reçu fini réparé signé imprimé supprimé bloqué livré vendu fait" },
    { CUE_DONE, ES,
      "reservado reservada pagado pagada enviado enviada cancelado cancelada confirmado "
      "confirmada recibido comprado comprada terminado terminada listo lista encontrado reparado "
      "firmado impreso eliminado bloqueado entregado vendido hecho hecha" },
    { CUE_DECIDE, EN,
      "decided decision fixed final finally settled agreed let's definitely official approved "
      "chosen confirm confirmed go-ahead winner" },
    { CUE_DECIDE, DE,
      "entschieden beschlossen fest steht abgemacht endgültig bleibt bestätigt einigen genehmigt" },
    { CUE_DECIDE, FR, "décidé décision définitif fixé confirmé reste validé retenu" },
    { CUE_DECIDE, ES, "decidido decisión definitivo fijado confirmado queda quedamos aprobado" },
    { CUE_CHANGE, EN,
      "moved moves change changed changes update instead postponed cancelled canceled "
      "rescheduled correction delayed swapped unfortunately" },
    { CUE_CHANGE, DE,
      "verschoben verschiebe verschieben verlegen änderung geändert statt stattdessen abgesagt "
      "korrektur leider verlegt" },
    { CUE_CHANGE, FR,
      "reporte reportons décale décalons déplacé déplacée changement changé annulé annulée "
      "reporté reportée plutôt correction finalement décalé avancé" },
    { CUE_CHANGE, ES,
      "aplazamos aplaza cambiamos cambio cambiado cambia aplazado aplazada cancelado cancelada "
      "pasamos pasarla pasarlo retrasado adelantado corrección finalmente" },
    { CUE_WARN, EN,
      "careful warning attention important remember forget must nobody allowed forbidden "
      "required scam phishing fraud spam removed reported blocked danger dangerous avoid beware "
      "sharp strictly mandatory compulsory allergic allergy urgent otherwise banned prohibited" },
    { CUE_WARN, DE,
      "achtung wichtig vergessen verboten niemand darf dürfen vorsicht betrug unbedingt pflicht "
      "allergie allergien allergisch erlaubt gesperrt dringend denken" },
    { CUE_WARN, FR,
      "attention important interdit interdite oubliez oublier arnaque obligatoire urgent "
      "allergie allergique prudence autorisé" },
    { CUE_WARN, ES,
      "atención importante prohibido prohibida nadie permite permiten permitido estafa "
      "obligatorio urgente alergia alérgico cuidado olvidéis olvidar" },
    { CUE_NEED, EN,
      "need needs needed needing bring bringing required require requires missing wear" },
    { CUE_NEED, DE,
      "brauchen braucht brauche benötigt benötigen gebraucht mitbringen bringt fehlt fehlen" },
    { CUE_NEED, FR, "besoin faut apportez apporter manque prévoir" },
    { CUE_NEED, ES, "necesito necesita necesitamos necesitan falta faltan traer traed llevar" },
    { CUE_ASK, ALL, "please pls plz bitte svp" },
    { CUE_ASK, FR, "plaît peux-tu pouvez-vous" },
    { CUE_ASK, ES, "puedes podéis" },
    { CUE_ASK, DE, "kannst könnt könntest" },
    { CUE_HEDGE, EN,
      "maybe perhaps might probably think guess idea could suppose wonder if thinking usually "
      "somehow possibly hopefully tempting heard thought" },
    { CUE_HEDGE, DE,
      "vielleicht wahrscheinlich glaube vermutlich evtl eventuell denke könnte könnten" },
    { CUE_HEDGE, FR, "peut-être probablement crois pense sûrement pourrait" },
    { CUE_HEDGE, ES, "quizás quizá creo probablemente tal vez supongo podría" },
    { CUE_UNSURE, EN,
      "unsure undecided depends tbd tbc unclear spontaneous spontaneously unknown vote decide" },
    { CUE_UNSURE, DE, "offen unsicher unklar schauen abwarten spontan entscheiden" },
    { CUE_UNSURE, FR, "verra verrons ouvert dépend incertain décider" },
    { CUE_UNSURE, ES, "veremos vemos depende pendiente decidir" },
    { CUE_PLACE, EN,
      "is+in are+in is+on are+on is+at are+at lies+in stands+in is+under it's+in it's+on" },
    { CUE_PLACE, DE,
      "ist+im ist+in sind+im steht+im steht+bei liegt+im liegt+auf sind+in liegen+im" },
    { CUE_PLACE, FR, "est+dans sont+dans est+sur est+au sont+au" },
    { CUE_PLACE, ES, "está+en están+en es+en" },

    { CUE_ASKS, EN,
      "who what when where why how which whose is are was were do does did can could should "
      "shall would will has have any anyone anybody anything who's what's where's" },
    { CUE_ASKS, DE,
      "wer was wann wo warum wie welche welcher wieviel wieso kann können kannst soll sollen "
      "darf ist sind hat habt haben gibt braucht brauchen wollen" },
    { CUE_ASKS, FR, "qui quoi quand où pourquoi comment combien quel quelle est-ce" },
    { CUE_ASKS, ES, "quién quien qué que cuándo dónde cómo cuánto cuántos cuánta cuántas alguien" },
    { CUE_WHO, ALL, "who who's wer qui quién quien" },
    { CUE_WHO, EN,
      "does+anyone does+anybody can+anyone can+somebody can+someone could+anyone could+someone "
      "could+somebody has+anyone has+anybody has+somebody is+anyone any+volunteers" },
    { CUE_WHO, DE, "kann+jemand hat+jemand könnte+jemand jemand+der" },
    { CUE_WHO, FR, "quelqu'un+peut quelqu'un+a" },
    { CUE_WHO, ES, "alguien+puede puede+alguien alguien+tiene alguien+sabe" },
    { CUE_HOLD, EN,
      "so+far bad+news good+news right+now all+members all+of also+on good+point so+much" },
    { CUE_WHEN, ALL, "when wann quand cuándo" },
    { CUE_WHERE, ALL, "where wo wohin où dónde" },
    { CUE_HOWMUCH, EN, "much many cost costs price long budget" },
    { CUE_HOWMUCH, DE, "wieviel viel viele kostet teuer" },
    { CUE_HOWMUCH, FR, "combien prix" },
    { CUE_HOWMUCH, ES, "cuánto cuántos cuánta cuántas precio" },

    { CUE_WEEKDAY, ALL,
      "monday tuesday wednesday thursday friday saturday sunday mondays tuesdays wednesdays "
      "thursdays fridays saturdays sundays montag dienstag mittwoch donnerstag freitag samstag "
      "sonnabend sonntag lundi mardi mercredi jeudi vendredi samedi dimanche lunes martes "
      "miércoles jueves viernes sábado domingo montags dienstags mittwochs donnerstags freitags "
      "samstags sonntags weekend wochenende week-end" },
    { CUE_WEEKDAY, EN, "mon tue tues wed weds thu thur thurs fri" },
    { CUE_MONTH, ALL,
      "january february april june july august september october november december jan feb apr "
      "jun jul aug sep sept oct nov dec januar februar märz mai juni juli oktober dezember "
      "janvier février mars avril juin juillet août septembre octobre novembre décembre enero "
      "febrero marzo abril mayo junio julio agosto septiembre octubre noviembre diciembre" },
    { CUE_MONTH, EN, "may march" },
    { CUE_DAYPART, ALL,
      "morning afternoon evening night noon midnight lunchtime vormittag nachmittag abend nacht "
      "mittag mitternacht matin après-midi soir nuit midi minuit mañana tarde noche mediodía "
      "medianoche" },
    { CUE_RELDAY, ALL,
      "today tomorrow tonight heute morgen übermorgen aujourd'hui demain hoy mañana yesterday "
      "gestern hier ayer" },
    { CUE_UNIT, ALL,
      "km m cm kg g l ml min mins minutes minute hours hour h days day weeks week months month "
      "years year people persons person guests kids children pieces boxes litres liters liter "
      "degrees percent personen leute stück kinder tage tag wochen woche monate stunden minuten "
      "gäste kilo personnes enfants jours semaines mois heures personas niños días semanas meses "
      "horas minutos litros tb gb mb ms v w x pp places seats rooms" },
    { CUE_MONEY, ALL,
      "euro euros eur franken chf francs dollars usd pounds gbp cents cent rappen bucks kr sek "
      "pln" },
    { CUE_EACH, ALL, "each pp per jeweils pro je chacun chacune cada" },
    { CUE_CLOCK, ALL, "uhr h am pm o'clock hrs hr heures" },
    { CUE_AT, ALL, "at um las à gegen @ vers around about ab between zwischen entre" },
    { CUE_DEADLINE, EN, "by until deadline latest before till due closes" },
    { CUE_DEADLINE, DE, "bis spätestens frist vor" },
    { CUE_DEADLINE, FR, "avant jusqu'au jusqu'à d'ici limite" },
    { CUE_DEADLINE, ES, "antes hasta plazo límite" },
    { CUE_PREP, ALL,
      "on at by in of en end from to until till before after for about around um am im ab bis "
      "von vom zum den der à au le du dès vers a las el la los del de the this next every first "
      "jeden each gegen" },
    { CUE_NUMBER, EN, "one two three four five six seven eight nine ten twelve dozen half" },
    { CUE_NUMBER, DE, "eins zwei drei vier fünf sechs sieben acht neun zehn elf zwölf" },
    { CUE_NUMBER, FR, "deux trois quatre cinq sept huit neuf dix onze douze" },
    { CUE_NUMBER, ES, "dos tres cuatro cinco seis siete ocho nueve diez once doce" },
    { CUE_ANYBODY, EN,
      "someone somebody anyone anybody volunteer volunteers who person people helper helpers" },
    { CUE_ANYBODY, DE, "jemand jemanden wer freiwillige helfer person personen" },
    { CUE_ANYBODY, FR, "quelqu'un qui volontaire volontaires personne" },
    { CUE_ANYBODY, ES, "alguien quién voluntario voluntarios persona" },
    { CUE_ABBREV, ALL,
      "mr mrs ms dr fr st prof incl excl approx etc ca no nr tel ext vs e.g i.e z.b bzw usw ggf "
      "mme m sr sra dra av str sen jr mio min max resp" },
    { CUE_TITLE, ALL,
      "mr mrs ms miss dr prof herr frau mme monsieur madame sr sra señor señora fr" },
    { CUE_YOU, EN, "you you're your yourself you'll" },
    { CUE_YOU, DE, "du dich dir dein deine ihr euch" },
    { CUE_YOU, FR, "tu te toi vous ton ta tes" },
    { CUE_YOU, ES, "tú te ti os vosotros" },
    { CUE_THAT, EN, "that it this one them those there him her" },
    { CUE_THAT, DE, "das es die sie den dort ihn" },
    { CUE_THAT, FR, "ça le la les celui" },
    { CUE_THAT, ES, "lo la los las eso esto" },
    { CUE_ABSENT, EN,
      "can't cannot away sick ill temperature injured busy late unavailable missing allergic" },
    { CUE_ABSENT, DE, "krank verhindert weg unterwegs verletzt" },
    { CUE_ABSENT, FR, "malade absent absente blessé" },
    { CUE_ABSENT, ES, "enfermo enferma lesionado de+baja" },
    { CUE_UNSURE, EN,
      "to+ask not+sure not+yet don't+know doesn't+know not+decided not+clear nothing+decided "
      "to+decide we'll+see let's+see still+open no+idea" },
    { CUE_UNSURE, DE,
      "nicht+sicher noch+nicht weiß+nicht nichts+entschieden nicht+entschieden nicht+klar "
      "mal+sehen noch+offen keine+ahnung" },
    { CUE_UNSURE, FR, "pas+sûr pas+encore sais+pas pas+décidé on+verra à+voir pas+clair" },
    { CUE_UNSURE, ES,
      "no+sé no+seguro ya+veremos ya+vemos por+decidir no+decidido aún+no todavía+no" },
    { CUE_AGREE, EN,
      "fair+enough no+problem why+not me+too of+course sounds+good love+it love+that count+me" },
    { CUE_AGREE, DE, "ich+auch von+mir bin+dabei auf+jeden" },
    { CUE_AGREE, FR, "moi+aussi bien+sûr ça+marche pas+problème" },
    { CUE_AGREE, ES, "yo+también de+acuerdo por+supuesto me+apunto sin+problema" },
    { CUE_JOIN, ALL, "count+me i'm+in am+in bin+dabei me+apunto je+viens" },
    { CUE_WISH, EN,
      "get+well good+luck good+night see+you have+fun happy+birthday well+done take+care bye+bye "
      "enjoy+your nice+evening good+morning" },
    { CUE_WISH, DE,
      "gute+besserung viel+glück viel+spaß bis+dann bis+morgen bis+später bis+bald gute+nacht "
      "schönen+abend guten+morgen guten+tag" },
    { CUE_WISH, FR,
      "bon+courage bonne+chance bonne+nuit à+demain à+bientôt bonne+journée bon+rétablissement" },
    { CUE_WISH, ES, "buena+suerte buenas+noches hasta+mañana hasta+luego que+mejores buenos+días" },
    { CUE_SUGGEST, EN, "what+about how+about shall+we should+we could+we can+we why+don't let's" },
    { CUE_SUGGEST, DE, "wie+wär's wie+wäre sollen+wir wollen+wir können+wir lass+uns" },
    { CUE_SUGGEST, FR, "si+on pourquoi+pas on+pourrait et+si" },
    { CUE_SUGGEST, ES, "qué+tal y+si podríamos podemos propongo" },
    { CUE_CHANGE, EN,
      "bad+news new+date new+time new+plan new+start small+change brought+forward no+longer" },
    { CUE_CHANGE, DE,
      "neuer+termin neue+uhrzeit neues+datum neuer+plan schlechte+nachrichten nicht+mehr" },
    { CUE_CHANGE, FR, "nouvelle+date nouvelle+heure nouveau+plan mauvaise+nouvelle" },
    { CUE_CHANGE, ES, "nueva+fecha nueva+hora nuevo+plan malas+noticias" },
    { CUE_SUITS, ALL, "for+me für+mich pour+moi para+mí by+me por+mí" },
    { CUE_ASK, EN, "can+you could+you would+you will+you" },
    { CUE_ASK, ES, "por+favor" },
    { CUE_ASK, FR, "s'il+te s'il+vous peux+tu pouvez+vous" },
    { CUE_IT, EN, "it" },
    { CUE_IS, EN, "is" },
    { CUE_IN, EN, "in of is was" },
    { CUE_ME, ALL, "me ich moi yo i" },
    { CUE_DATEWORD, ALL,
      "date time dates times appointment slot deadline termin datum uhrzeit zeit heure "
      "rendez-vous fecha hora cita plan schedule start beginn" },
    { CUE_INSTEAD, ALL, "instead statt anstatt lieu vez was war était era" },
    { CUE_THEN, ALL, "then so dann also donc alors entonces" },
    { CUE_IF, ALL, "if wenn falls si otherwise sonst sinon unless except außer sauf excepto" },
    { CUE_ASIDE, EN,
      "he she they it we you so because since which who that's it's he's she's they're we're "
      "you're lots sorry still hopefully just" },
    { CUE_ASIDE, DE, "er sie es wir ihr weil denn sodass hoffentlich" },
    { CUE_ASIDE, FR, "il elle ils elles on nous parce car désolé" },
    { CUE_ASIDE, ES, "él ella ellos porque así perdón" },
    { CUE_GROUP, EN,
      "everyone everybody all each nobody we us our families helpers children kids parents "
      "members" },
    { CUE_GROUP, DE, "alle allen jeder jede niemand wir uns kinder eltern" },
    { CUE_GROUP, FR, "tous toutes chacun personne nous on enfants parents" },
    { CUE_GROUP, ES, "todos todas cada nadie nosotros niños padres" },
    { CUE_DEED, EN,
      "brings takes gets makes does comes picks drives pays sends sets opens closes starts "
      "begins ends leaves keeps gives holds plays joins meets moves moved organises organizes "
      "provides lends prints bakes cooks helps fixes repairs connects delivers collects checks "
      "calls arrives returns switches runs covers costs stays goes works needs sleeps knows "
      "writes reads orders replaces expires wants" },
    { CUE_DEED, DE,
      "bringt nimmt holt macht kommt fährt bezahlt zahlt schickt öffnet schließt beginnt endet "
      "gibt spielt trifft organisiert leiht druckt backt kocht hilft repariert liefert sammelt "
      "prüft ruft kostet bleibt steht findet" },
    { CUE_DEED, FR,
      "apporte prend fait vient conduit paie envoie ouvre ferme commence finit donne joue "
      "organise prête imprime cuisine aide répare livre vérifie appelle coûte reste garde" },
    { CUE_DEED, ES,
      "trae toma hace viene conduce paga envía abre cierra empieza termina da juega organiza "
      "presta imprime cocina ayuda repara entrega revisa llama cuesta queda cobra guarda" },
    { CUE_SPARE, EN,
      "please pls really just actually basically anyway anyways tbh btw obviously definitely "
      "honestly quite literally simply sorry haha lol already also even though" },
    { CUE_LEANS, EN,
      "he she it they he's she's it's they're he'll she'll it'll they'll he'd she'd it'd they'd "
      "this that that's these those looks sounds seems feels is are was were isn't aren't wasn't" },
    { CUE_LEANS, DE, "er sie es dies ist sind war waren klingt" },
    { CUE_LEANS, FR, "elle ils elles ça cela c'est c'était est était" },
    { CUE_LEANS, ES, "él ella ellos ellas eso esto es son era está están" },
    { CUE_LINK, ALL, "and und et y but aber mais pero" },
    { CUE_SPARE, DE,
      "schon auch mal ja bitte eigentlich wirklich halt eben übrigens natürlich einfach" },
    { CUE_SPARE, FR, "aussi déjà vraiment franchement svp" },
    { CUE_SPARE, ES, "también ya realmente porfa" },
    { CUE_OPTION, ALL, "option options plan variant variante choice opción" },
};

static uint32_t slot_of(const struct infer_cues *c, uint32_t hash)
{
    uint32_t at = hash % INFER_CUE_SLOTS;

    while (c->slots[at].hash != 0 && c->slots[at].hash != hash)
        at = (at + 1) % INFER_CUE_SLOTS;
    return at;
}

uint32_t infer_pair_hash(uint32_t a, uint32_t b)
{
    uint32_t hash = (a << 13 | a >> 19) ^ b * 0x9E3779B1U;

    return hash == 0 ? 1 : hash;
}

static uint32_t hash_of_entry(struct pp_span entry)
{
    struct pp_span first;

    if (!pp_text_cut(&entry, '+', &first))
        return infer_hash_text(first);
    return infer_pair_hash(infer_hash_text(first), infer_hash_text(entry));
}

static void add_words(struct infer_cues *c, const struct list *l)
{
    struct pp_span rest = pp_span_cstr(l->words);
    struct pp_span word;
    int more;

    do {
        more = pp_text_cut(&rest, ' ', &word);
        uint32_t hash = hash_of_entry(word);
        struct infer_cue_slot *s = &c->slots[slot_of(c, hash)];
        if (s->hash == 0)
            c->used++;
        PP_ASSERT(c->used < INFER_CUE_SLOTS * 3 / 4);
        s->hash = hash;
        for (unsigned k = 0; k < INFER_LANGUAGE_COUNT; k++)
            if (l->languages >> k & 1)
                s->cues[k] |= l->cue;
    } while (more);
}

pp_res infer_cues_init(struct infer_cues *c, struct pp_arena *a)
{
    *c = (struct infer_cues){ .slots = pp_arena_array(a, INFER_CUE_SLOTS, sizeof *c->slots) };
    PP_CHECK(c->slots != NULL, PP_E_NO_MEMORY, INFER_CUE_SLOTS);
    for (size_t i = 0; i < PP_ARRAY_COUNT(LISTS); i++)
        add_words(c, &LISTS[i]);
    return PP_OK;
}

const struct infer_cue_slot *infer_cues_find(const struct infer_cues *c, uint32_t hash)
{
    const struct infer_cue_slot *s = &c->slots[slot_of(c, hash)];

    return s->hash == hash ? s : NULL;
}
